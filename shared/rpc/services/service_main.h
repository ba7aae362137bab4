/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_SERVICE_MAIN_H
#define CT_RPC_SERVICES_SERVICE_MAIN_H

#include "rpc/services/service_host.h"

/*
 * The main() of every service:
 *
 *   -c FILE            settings (else the defaults)
 *   -s PATH=VALUE      one setting over the file's, may be repeated
 *   --check-config     only say whether the settings are in order, and the times fit
 *                      together (service_lint.h)
 *   -p NAME=FILE       the settings of a peer, for --check-config; may be repeated
 *   --print-config     only print all settings, with what they mean
 *   --print-docs       only print all settings as a table in markdown
 *   --help, --version
 *
 * Serves until SIGTERM or SIGINT. The first drains: new calls are refused,
 * running ones may finish within server.drain_ms. The second stops at once. The
 * exit status is 0 after a stop in which every call ended, 1 when the service did
 * not start or calls would not end (then it exits by itself), 2 for wrong
 * arguments. Files and ipc sockets that it makes are its own user's alone (umask 077).
 * Call it from main() before any thread is made, and return its result.
 */
int ct_service_main(const struct ct_service *svc, int argc, char **argv);

#endif
