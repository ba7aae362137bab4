/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/handlers/put.h"

#include "base/check.h"
#include "clinic/handlers/fail.h"

#include <string.h>

enum { EXTRA_ALIGN = 16 };

/* Lives in the call's arena. Belongs to the worker, then to the writer thread. */
struct clinic_put {
	struct ct_call *call;
	struct clinic_put_opts opts;
	struct clinic_outcomes outcomes;
	bool *valid; /* passed its check */
	char *extra; /* opts.extra_bytes, rounded up, for each item */
};

const void *clinic_put_item(const struct clinic_put *p, size_t i)
{
	const void *item;

	CT_CHECK(i < p->opts.items_n);
	memcpy(&item, (const char *)p->opts.items + i * sizeof(item), sizeof(item));
	return item;
}

static size_t extra_stride(const struct clinic_put_opts *opts)
{
	return (opts->extra_bytes + EXTRA_ALIGN - 1) / EXTRA_ALIGN * EXTRA_ALIGN;
}

void *clinic_put_extra(const struct clinic_put *p, size_t i)
{
	CT_CHECK(i < p->opts.items_n);
	return p->extra + i * extra_stride(&p->opts);
}

void *clinic_put_app(const struct clinic_put *p)
{
	return p->opts.app;
}

struct ct_call *clinic_put_call(const struct clinic_put *p)
{
	return p->call;
}

static ct_status make(struct ct_call *call, const struct clinic_put_opts *opts,
		      struct clinic_put **ret_put)
{
	struct ct_arena *arena = ct_call_arena(call);
	const size_t extra_bytes = opts->items_n * extra_stride(opts);
	struct clinic_put *p = ct_arena_alloc(arena, sizeof(*p));
	ct_status st;

	if (p == NULL)
		return CT_RESOURCE_EXHAUSTED;
	*p = (struct clinic_put){ .call = call, .opts = *opts };
	st = clinic_outcomes_init(&p->outcomes, arena, opts->items_n);
	p->valid = ct_arena_alloc(arena, opts->items_n + 1);
	p->extra = ct_arena_alloc(arena, extra_bytes + 1);
	if (st != CT_OK || p->valid == NULL || p->extra == NULL)
		return CT_RESOURCE_EXHAUSTED;
	memset(p->extra, 0, extra_bytes);
	*ret_put = p;
	return CT_OK;
}

/* *ret_any: at least one item is to be stored. CANCELLED, DEADLINE_EXCEEDED: nobody
 * waits for the rest. */
static ct_status check_all(struct clinic_put *p, bool *ret_any)
{
	const struct clinic_put_type *type = p->opts.type;
	const struct ct_ctx *ctx = ct_call_ctx(p->call);
	ct_status st = CT_OK;

	*ret_any = false;
	for (size_t i = 0; i < p->opts.items_n && st == CT_OK; i++) {
		struct clinic_issue issue = { .code = CT_OK };

		if (ct_ctx_done(ctx))
			return ct_ctx_status(ctx);
		st = clinic_outcome_key(&p->outcomes, i, type->fields, clinic_put_item(p, i));
		p->valid[i] = type->check(p, i, &issue);
		if (!p->valid[i] && st == CT_OK)
			st = clinic_outcome_reject(&p->outcomes, i, &issue);
		*ret_any |= p->valid[i];
	}
	return st;
}

static ct_status store_all(struct ct_db *db, void *arg)
{
	struct clinic_put *p = arg;
	ct_status st = CT_OK;

	for (size_t i = 0; i < p->opts.items_n && st == CT_OK; i++) {
		Clinic__V1__ItemOutcome__Kind kind =
			CLINIC__V1__ITEM_OUTCOME__KIND__KIND_UNSPECIFIED;
		struct clinic_issue issue = { .code = CT_OK };
		uint64_t version = 0;

		if (!p->valid[i])
			continue;
		st = p->opts.type->store(p, db, i, &kind, &version, &issue);
		if (st == CT_OK && issue.code != CT_OK)
			st = clinic_outcome_reject(&p->outcomes, i, &issue);
		else if (st == CT_OK)
			clinic_outcome_stored(&p->outcomes, i, kind, version);
	}
	return st;
}

static void finish(struct clinic_put *p)
{
	const struct clinic_outcome_counts n = clinic_outcomes_count(&p->outcomes);
	const struct ct_trace trace = ct_ctx_trace(ct_call_ctx(p->call));

	CT_LOG(p->opts.log, CT_LOG_DEBUG, "batch put", CT_ID("trace", &trace.trace_id),
	       CT_STR("method", ct_call_method(p->call)->name), CT_UINT("created", n.created),
	       CT_UINT("updated", n.updated), CT_UINT("unchanged", n.unchanged),
	       CT_UINT("rejected", n.rejected));
	p->opts.type->reply(p->call, p->outcomes.v, p->outcomes.n);
}

static void stored(void *arg, ct_status st, const char *why)
{
	struct clinic_put *p = arg;

	if (st == CT_OK)
		finish(p);
	else
		clinic_store_failed(p->call, p->opts.log, st, why);
}

static void fail(struct ct_call *call, ct_status st)
{
	if (st == CT_CANCELLED || st == CT_DEADLINE_EXCEEDED)
		ct_call_fail(call, st, "stopped while the batch was checked");
	else
		ct_call_fail(call, st, "no memory for the batch");
}

void clinic_put_run(struct ct_call *call, const struct clinic_put_opts *opts)
{
	struct clinic_put *p = NULL;
	bool any = false;
	ct_status st;

	if (opts->items_n > opts->items_max) {
		ct_call_fail(call, CT_INVALID_ARGUMENT, "a batch has at most %u items",
			     opts->items_max);
		return;
	}
	st = make(call, opts, &p);
	if (st == CT_OK)
		st = check_all(p, &any);
	if (st != CT_OK) {
		fail(call, st);
		return;
	}
	if (!any) {
		finish(p);
		return;
	}
	ct_call_keep(call);
	st = ct_store_write(opts->store, ct_call_ctx(call), store_all, p, stored, p);
	if (st != CT_OK)
		clinic_store_failed(call, opts->log, st, "the write was not accepted");
}
