/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_APP_H
#define RSVC_APP_H

#include "rpc/services/service_host.h"

/* report-svc, for ct_service_main() and for tests that run it in their process.
 * Its settings are a struct rsvc_conf. */
extern const struct ct_service rsvc_service;

#endif
