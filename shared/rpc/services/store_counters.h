/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_STORE_COUNTERS_H
#define CT_RPC_SERVICES_STORE_COUNTERS_H

#include "rpc/server.h"
#include "store/store.h"

/* Stats of s tell what became of the store's writes and reads: the counters
 * `store_…`, from ct_store_stats(). As ct_server_show_counters(); the store outlives
 * the server. */
void ct_store_counters_show(struct ct_server *s, struct ct_store *store);

#endif
