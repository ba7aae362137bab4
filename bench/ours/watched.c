/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/watched.h"

#include "rpc/call.h"
#include "rpc/server.h"

#include "ct/v1/probe.ct.h"

ct_status __real_probe_register(struct ct_server *s, const struct probe_handlers *h, void *impl);
ct_status __wrap_probe_register(struct ct_server *s, const struct probe_handlers *h, void *impl);
struct ct_ctx *__real_ct_call_ctx(const struct ct_call *c);
struct ct_ctx *__wrap_ct_call_ctx(const struct ct_call *c);

static const struct watched *how; /* set before the first thread */
static const struct probe_handlers *inner;

void watched_set(const struct watched *w)
{
	how = w;
}

struct ct_ctx *__wrap_ct_call_ctx(const struct ct_call *c)
{
	return how->forgetful != NULL ? how->forgetful : __real_ct_call_ctx(c);
}

static struct watch_cell *begin(const Ct__V1__EchoRequest *req)
{
	struct watch_cell *cell = NULL;

	if (how->watch != NULL && req != NULL)
		cell = watch_cell_of(how->watch, ct_bytes_of(req->payload.data, req->payload.len));
	if (cell != NULL)
		watch_started(cell, ct_now(ct_clock_system()).ns);
	return cell;
}

static void end(struct watch_cell *cell)
{
	if (cell != NULL)
		watch_ended(how->watch, cell, ct_now(ct_clock_system()).ns);
}

static void echo(struct ct_call *call, const Ct__V1__EchoRequest *req)
{
	struct watch_cell *cell = begin(req);

	inner->echo(call, req);
	end(cell);
}

/* Where the chain ends; a hop that passes it on does no work of its own. */
static void chain(struct ct_call *call, const Ct__V1__ChainRequest *req)
{
	struct watch_cell *cell = req->n_hops == 0 ? begin(req->last) : NULL;

	inner->chain(call, req);
	end(cell);
}

ct_status __wrap_probe_register(struct ct_server *s, const struct probe_handlers *h, void *impl)
{
	static const struct probe_handlers outer = { .echo = echo, .chain = chain };

	inner = h;
	return __real_probe_register(s, &outer, impl);
}
