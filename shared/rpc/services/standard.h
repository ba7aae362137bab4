/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_STANDARD_H
#define CT_RPC_SERVICES_STANDARD_H

#include "rpc/server.h"

/* The services every server has; ct_server_add_standard() adds them. */
CT_MUST_USE ct_status ct_standard__add_health(struct ct_server *s);  /* health.c */
CT_MUST_USE ct_status ct_standard__add_runtime(struct ct_server *s); /* runtime_service.c */

#endif
