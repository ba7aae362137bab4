/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/runtime.h"

enum { SKIP_BYTES_MAX = 64 << 20 }; /* so that a message too big costs its own call alone */

ct_status ct_runtime_init(struct ct_runtime *rt, const struct ct_runtime_opts *opts)
{
	struct ct_runtime fresh = { .log = opts->log, .service = opts->service };
	struct ct_net_opts net = opts->net;
	ct_status st;

	st = ct_timers_new(NULL, &fresh.timers);
	if (st != CT_OK)
		goto out;
	net.timers = fresh.timers;
	if (net.skip_bytes_max == 0)
		net.skip_bytes_max = SKIP_BYTES_MAX;
	st = ct_net_new(&net, &fresh.net);
	if (st != CT_OK)
		goto out;
	*rt = fresh;
	fresh = (struct ct_runtime){ .timers = NULL }; /* handed over */
out:
	ct_runtime_fini(&fresh);
	return st;
}

void ct_runtime_fini(struct ct_runtime *rt)
{
	rt->net = ct_net_free(rt->net);
	rt->timers = ct_timers_free(rt->timers);
}
