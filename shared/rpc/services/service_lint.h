/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_SERVICE_LINT_H
#define CT_RPC_SERVICES_SERVICE_LINT_H

#include "conf/conf.h"
#include "rpc/services/service_host.h"

/*
 * Whether the times that a service promises, waits and allows fit together, by its
 * methods' options, its settings and, where they are at hand, those of its peers:
 *
 *   a client's time for a method        <= server.max_deadline_ms
 *   what the method waits for a peer
 *     + what it keeps back to answer    <= the client's time for the method
 *   what it waits for a peer            <= the peer's server.max_deadline_ms
 *
 * Retries need no room of their own: they are inside what is waited. Pure functions;
 * any thread.
 */

/* The settings of a peer, as far as every service has them. */
struct ct_service_lint_peer {
	const char *name; /* in our settings' peers */
	const char *path; /* of its file, for the report */
	const struct ct_service_conf *conf;
};

/* Adds a line for each chain of times that cannot hold. conf is the service's struct. */
void ct_service_lint(const struct ct_service *svc, const void *conf,
		     const struct ct_service_lint_peer *peers, size_t peers_n,
		     struct ct_conf_report *report);

/* What --check-config checks besides: reads the peers' files ("name=path") and lints.
 * OK: there is nothing to report. Else report says what is wrong. */
CT_MUST_USE ct_status ct_service_lint_files(const struct ct_service *svc, const void *conf,
					    const char *const *peers, size_t peers_n,
					    struct ct_conf_report *ret_report);

#endif
