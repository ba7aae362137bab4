/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_APP_H
#define PSVC_APP_H

#include "rpc/services/service_host.h"

/* patient-svc, for ct_service_main() and for tests that run it in their process.
 * Its settings are a struct psvc_conf. */
extern const struct ct_service psvc_service;

#endif
