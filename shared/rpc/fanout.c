/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/fanout.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"

struct leg {
	struct ct_fanout *fanout;
	ct_done_fn *done;
	void *arg;
};

struct ct_fanout {
	/* fixed after new */
	struct ct_ctx *ctx;
	enum ct_fanout_policy policy;
	ct_join_fn *join;
	void *arg;
	uint16_t legs_max;

	struct ct_lock lock; /* rank FANOUT; protects everything below */
	uint16_t started;
	uint32_t open; /* legs that run, and one until it is sealed */
	ct_status first_error;
	bool joined;
	struct leg legs[];
};

ct_status ct_fanout_new(const struct ct_fanout_opts *opts, struct ct_fanout **ret_fanout)
{
	struct ct_fanout *f;
	ct_status st;

	CT_CHECK(opts->parent != NULL);
	CT_CHECK(opts->legs_max >= 1 && opts->legs_max <= 1024);
	f = ct_mem_zalloc(1, sizeof(*f) + opts->legs_max * sizeof(struct leg));
	if (f == NULL)
		return CT_RESOURCE_EXHAUSTED;
	st = ct_ctx_with_deadline(opts->parent, opts->deadline, &f->ctx);
	if (st != CT_OK) {
		ct_mem_free(f);
		return st;
	}
	f->policy = opts->policy;
	f->join = opts->join;
	f->arg = opts->arg;
	f->legs_max = opts->legs_max;
	f->open = 1;
	ct_lock_init(&f->lock, CT_RANK_FANOUT);
	*ret_fanout = f;
	return CT_OK;
}

/* One of `open` is over; the last one joins, and may find f freed afterwards. */
static void close_one(struct ct_fanout *f)
{
	ct_status first_error;
	bool last;

	ct_lock_acquire(&f->lock);
	last = --f->open == 0;
	f->joined = last;
	first_error = f->first_error;
	ct_lock_release(&f->lock);
	if (last)
		f->join(f, f->arg, first_error);
}

static void leg_done(void *arg, struct ct_reply *reply)
{
	const struct leg *leg = arg;
	struct ct_fanout *f = leg->fanout;
	bool first_failure = false;

	if (reply->status != CT_OK) {
		ct_lock_acquire(&f->lock);
		first_failure = f->first_error == CT_OK;
		if (first_failure)
			f->first_error = reply->status;
		ct_lock_release(&f->lock);
	}
	leg->done(leg->arg, reply);
	if (first_failure && f->policy == CT_FANOUT_FIRST_ERROR)
		(void)ct_ctx_cancel(f->ctx, CT_CANCEL_SIBLING);
	close_one(f);
}

void ct_fanout_start(struct ct_fanout *f, struct ct_client *c, const struct ct_method *m,
		     const ProtobufCMessage *req, ct_done_fn *done, void *arg)
{
	struct leg *leg;

	ct_lock_acquire(&f->lock);
	CT_CHECK(f->started < f->legs_max);
	leg = &f->legs[f->started++];
	*leg = (struct leg){ .fanout = f, .done = done, .arg = arg };
	f->open++;
	ct_lock_release(&f->lock);
	ct_stub_call_async(c, f->ctx, m, req, leg_done, leg);
}

void ct_fanout_seal(struct ct_fanout *f)
{
	close_one(f);
}

struct ct_fanout *ct_fanout_free(struct ct_fanout *f)
{
	if (f == NULL)
		return NULL;
	CT_CHECK(f->joined || f->started == 0);
	ct_ctx_finish(f->ctx);
	f->ctx = ct_ctx_unref(f->ctx);
	ct_lock_fini(&f->lock);
	ct_mem_free(f);
	return NULL;
}
