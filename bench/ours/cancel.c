/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/measure.h"

#include "base/check.h"

enum { GIVEN_UP_MS = 2000, CALL_MS = 20 * 1000, SPREAD_NS = 1000000 };

#define NS_PER_MS INT64_C(1000000)

/* One call, from its start until it and its handler have ended. */
struct sample {
	struct stand *stand;
	struct ct_ctx *ctx;
	struct errand errand;
	int64_t cancelled_ns;
	_Atomic int64_t returned_ns; /* 0: not yet */
};

static void done(void *arg, struct ct_reply *reply)
{
	struct sample *s = arg;

	(void)reply;
	atomic_store(&s->returned_ns, stand_now_ns());
}

/* Waits for *at to be set. False: it was not in 2 s, or *over was. */
static bool await(struct stand *s, const _Atomic int64_t *at, const _Atomic int64_t *over)
{
	const int64_t until = stand_now_ns() + GIVEN_UP_MS * NS_PER_MS;

	while (atomic_load(at) == 0) {
		if ((over != NULL && atomic_load(over) != 0) || stand_now_ns() > until)
			return false;
		stand_pause(s);
	}
	return true;
}

/* Somewhere within a millisecond, so that no tick of a clock is always met alike. */
static void scatter(struct stand *s)
{
	const int64_t until = stand_now_ns() + (int64_t)(ct_random_u64() % SPREAD_NS);

	while (stand_now_ns() < until)
		stand_pause(s);
}

static void cancel(struct sample *s, struct cancel_result *r)
{
	const struct watch_cell *cell = s->errand.cell;
	int64_t end;

	scatter(s->stand);
	if (atomic_load(&s->returned_ns) != 0) { /* it ran, and ended by itself */
		r->refused++;
		return;
	}
	s->cancelled_ns = stand_now_ns();
	(void)ct_ctx_cancel(s->ctx, CT_CANCEL_CALLER);
	if (!await(s->stand, &cell->end_ns, NULL)) {
		r->stuck++;
		return;
	}
	end = atomic_load(&cell->end_ns);
	CT_CHECK(await(s->stand, &s->returned_ns, NULL)); /* the runtime's promise */
	load_hist_add(&r->stop_ns, end > s->cancelled_ns ? (uint64_t)(end - s->cancelled_ns) : 0);
	load_hist_add(&r->returned_ns, (uint64_t)(atomic_load(&s->returned_ns) - s->cancelled_ns));
}

static bool take_sample(struct stand *stand, const struct cancel_opts *opts,
			struct cancel_result *r)
{
	const struct ct_call_opts call = { .timeout_ms = CALL_MS };
	struct sample s = { .stand = stand };

	if (ct_ctx_new_root(stand->rt.timers, CT_NEVER, &s.ctx) != CT_OK)
		return false;
	errand_init(&s.errand, stand, opts->hops, opts->work, INT64_MAX, 0);
	ct_client_start(s.errand.client, s.ctx, s.errand.method, errand_request(&s.errand), &call,
			done, &s);
	if (await(stand, &s.errand.cell->start_ns, &s.returned_ns)) {
		cancel(&s, r);
	} else {
		r->refused++;
		(void)ct_ctx_cancel(s.ctx, CT_CANCEL_CALLER);
	}
	CT_CHECK(await(stand, &s.returned_ns, NULL));
	ct_ctx_unref(s.ctx);
	return true;
}

bool measure_cancel(struct stand *s, const struct cancel_opts *opts, struct cancel_result *ret)
{
	const uint32_t most = opts->samples * 10; /* under load many are refused */

	*ret = (struct cancel_result){ .refused = 0 };
	for (uint32_t i = 0; i < most && ret->stop_ns.count < opts->samples; i++)
		if (!take_sample(s, opts, ret))
			return false;
	return true;
}
