/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that deadlines and cancels cascade: every case of the table is put
 * where it belongs with gates and a proxy, then the event happens, and the
 * caller's status, both servers' counters, the handlers' own records and the
 * accounting identity must be as the table says.
 *
 * usage: conformance [SUBSTRING]   only the cases whose name has it
 */
#include "base/check.h"
#include "tests/conformance/caller.h"
#include "tests/conformance/cases.h"
#include "tests/conformance/rawcall.h"
#include "tests/lib/rpc/proxy.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TIMEOUT_MS = 600, /* of a case whose deadline is the event: long enough to get there */
	TIMEOUT_MS_MAX = TIMEOUT_MS * 16, /* on a machine that is busy */
	PATIENT_MS = 15000,               /* of all others */
	DRAIN_MS = 150,
	HUGE_MARGIN_MS = 3600000,
	LATE_US_MAX = 250000, /* deadlines and stops; benchmarks measure the real bound */
	TRIES = 3,            /* of a case that was late and else right: a machine may stall once */
	REPLY_BYTES = 64,
	NAME_SIZE = 96,
};

static const char key[] = "case", blocker_key[] = "blocker";

struct run {
	struct combination c;
	struct expectation e;
	char name[NAME_SIZE];
	struct bench bench;
	struct node first, second;
	struct node *last, *busy; /* the one with the work; the one whose worker is taken */
	struct proxy *to_first, *to_second;
	struct caller caller, blocker;
	struct node_counts first_before, last_before;
	ct_status caller_status;
	uint32_t timeout_ms;
	bool (*stage)(void *arg); /* that is awaited */
	bool reached, too_late;   /* the stage; the deadline came before it */
	uint64_t late_us;         /* a deadline or a stop; 0: within LATE_US_MAX */
	bool failed;
};

static void fail(struct run *r, const char *fmt, ...) CT_PRINTF(2, 3);

static void fail(struct run *r, const char *fmt, ...)
{
	va_list args;

	if (!r->failed)
		printf("FAIL %s:\n", r->name);
	printf("     ");
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	printf("\n");
	r->failed = true;
}

/* ---- gates --------------------------------------------------------------------------- */

static bool is_queued(void *arg)
{
	struct run *r = arg;
	struct node_counts c;

	return node_counts(r->busy, &c) && c.queued == 1;
}

static bool has_entered(void *arg)
{
	struct run *r = arg;
	struct node_seen s;

	return node_seen(r->last, key, &s) && s.entered;
}

static bool blocker_runs(void *arg)
{
	struct run *r = arg;
	struct node_seen s;

	return node_seen(r->busy, blocker_key, &s) && s.entered;
}

static bool last_has_replied(void *arg)
{
	struct run *r = arg;

	return node_has_replied(r->last, &r->last_before);
}

static bool first_has_replied(void *arg)
{
	struct run *r = arg;

	return node_has_replied(&r->first, &r->first_before);
}

static uint64_t blockers(const struct run *r, const struct node *n)
{
	return r->blocker.open && n == r->busy ? 1 : 0;
}

/* Nothing but the blocker is in flight. */
static bool is_quiet(void *arg)
{
	struct run *r = arg;

	return node_has_in_flight(&r->first, blockers(r, &r->first)) &&
	       (r->last == &r->first || node_has_in_flight(r->last, blockers(r, r->last)));
}

static bool is_empty(void *arg)
{
	struct run *r = arg;

	return node_has_in_flight(&r->first, 0) && node_has_in_flight(r->last, 0);
}

static void await(struct run *r, bool (*is)(void *arg), const char *what)
{
	if (!bench_until(&r->bench, is, r))
		fail(r, "it never came to this: %s", what);
}

static bool caller_has_ended(struct run *r)
{
	return ct_latch_wait_until(&r->caller.ended, ct_now(ct_clock_system()));
}

static bool reached_or_over(void *arg)
{
	struct run *r = arg;

	r->reached = r->stage(r);
	return r->reached || (r->c.event == EV_DEADLINE && caller_has_ended(r));
}

/* False: the deadline that is to come there has come before. */
static bool await_stage(struct run *r, bool (*is)(void *arg), const char *what)
{
	r->stage = is;
	await(r, reached_or_over, what);
	r->too_late = r->too_late || !r->reached;
	return r->reached;
}

/* ---- the stage ------------------------------------------------------------------------- */

static bool is_raw(const struct run *r)
{
	return r->c.event == EV_OVERTAKE || (r->c.event == EV_PASSED && r->c.stage == ST_QUEUED);
}

static void build(struct run *r)
{
	struct node_opts no = { .own_process = r->c.own_process,
				.ipc = r->c.ipc,
				.drain_ms = DRAIN_MS };

	bench_init(&r->bench);
	if (r->c.two_hops) {
		node_start(&r->second, &r->bench, &no);
		r->to_second = proxy_new(r->second.url, r->bench.dir);
	}
	if (r->c.event == EV_PASSED && r->c.stage == ST_WAITING)
		no.margin_ms = HUGE_MARGIN_MS;
	node_start(&r->first, &r->bench, &no);
	r->to_first = proxy_new(r->first.url, r->bench.dir);
	r->last = r->c.two_hops ? &r->second : &r->first;
	r->busy = is_raw(r) ? &r->first : r->last;
	CT_CHECK(node_counts(&r->first, &r->first_before));
	CT_CHECK(node_counts(r->last, &r->last_before));
}

static void block_worker(struct run *r)
{
	const struct caller_call call = { .url = r->busy->url,
					  .key = blocker_key,
					  .timeout_ms = PATIENT_MS };

	caller_start(&r->blocker, &r->bench, &call);
	await(r, blocker_runs, "the worker is taken");
}

static void start_call(struct run *r, const char *hop)
{
	const struct caller_call call = {
		.url = is_raw(r) ? r->first.url : proxy_url(r->to_first),
		.key = key,
		.hops = &hop,
		.hops_n = r->c.two_hops ? 1 : 0,
		.timeout_ms = r->c.event == EV_DEADLINE ? r->timeout_ms : PATIENT_MS,
		.reply_bytes = REPLY_BYTES,
		.own_process = r->c.event == EV_KILLED,
		.passed = r->c.event == EV_PASSED && r->c.stage == ST_RUNNING,
	};
	const struct raw_call rc = {
		.call = &call,
		.budget_us = r->c.event == EV_PASSED ? 1 : PATIENT_MS * UINT64_C(1000),
		.cancel_first = r->c.event == EV_OVERTAKE,
	};
	bool not_processed = false;

	if (!is_raw(r)) {
		caller_start(&r->caller, &r->bench, &call);
		return;
	}
	if (!raw_call(&rc, &r->caller_status, &not_processed))
		fail(r, "no reply to the raw call");
	if (!not_processed)
		fail(r, "the reply does not say that nothing was processed");
}

/* Puts the call where the case wants it. */
static void take_stage(struct run *r)
{
	if (r->c.event == EV_PASSED || r->c.event == EV_OVERTAKE)
		return; /* the start is all there is */
	if (r->c.stage == ST_QUEUED) {
		(void)await_stage(r, is_queued, "the call is queued");
		return;
	}
	if (!await_stage(r, has_entered, "the handler runs") || r->c.stage == ST_RUNNING)
		return;
	proxy_hold(r->c.stage == ST_WAITING ? r->to_second : r->to_first);
	node_release(r->last, key);
	if (r->c.stage == ST_WAITING)
		(void)await_stage(r, last_has_replied, "the last server has replied");
	else
		(void)await_stage(r, first_has_replied, "the first server has replied");
}

static void let_happen(struct run *r)
{
	switch (r->c.event) {
	case EV_CANCEL:
		caller_cancel(&r->caller);
		break;
	case EV_KILLED:
		caller_kill(&r->caller);
		break;
	case EV_CUT:
		proxy_cut(r->to_first);
		break;
	case EV_DRAIN:
		node_drain(r->c.stage == ST_QUEUED || r->c.stage == ST_RUNNING ? r->last
									       : &r->first);
		if (r->c.stage == ST_REPLYING)
			proxy_let_go(r->to_first);
		break;
	case EV_DEADLINE:
	case EV_OVERTAKE:
	case EV_PASSED:
	case EV_N:
		break; /* time does it, or it has happened already */
	}
}

/* ---- what must be true now ----------------------------------------------------------------- */

static void note_late(struct run *r, uint64_t us)
{
	if (us > LATE_US_MAX && us > r->late_us)
		r->late_us = us;
}

static void check_caller(struct run *r)
{
	const struct caller *c = &r->caller;

	if (r->e.no_caller)
		return;
	if (!is_raw(r)) {
		if (!caller_wait(&r->caller)) {
			fail(r, "the caller waits for ever");
			return;
		}
		r->caller_status = c->reply.status;
	}
	if (r->caller_status != r->e.caller)
		fail(r, "the caller got %s (%s), not %s", ct_status_name(r->caller_status),
		     is_raw(r) ? "" : c->reply.message, ct_status_name(r->e.caller));
	if (r->c.event == EV_DEADLINE) {
		const uint64_t us = ct_instant_us_between(c->started, c->returned);

		const uint64_t due = r->timeout_ms * UINT64_C(1000);

		if (us < due)
			fail(r, "the deadline came early, after %" PRIu64 " us", us);
		else
			note_late(r, us - due);
	}
}

static void check_end(struct run *r, const char *who, struct node_counts c, enum end end)
{
	const uint64_t by_end[] = {
		[END_NOTHING] = 0, /* nothing may be left over */
		[END_OK] = c.work_ok,
		[END_APP_ERROR] = c.app_error,
		[END_REFUSED] = c.refused,
		[END_EXPIRED_QUEUED] = c.expired_queued,
		[END_EXPIRED_RUNNING] = c.expired_running,
		[END_CANCELLED_QUEUED] = c.cancelled_queued,
		[END_CANCELLED_RUNNING] = c.cancelled_running,
		[END_PEER_GONE] = c.peer_gone,
		[END_EXPIRED_EARLY] = c.refused + c.expired_queued,
	};
	const uint64_t all = c.work_ok + c.app_error + c.refused + c.expired_queued +
			     c.expired_running + c.cancelled_queued + c.cancelled_running +
			     c.peer_gone;
	const uint64_t want = end == END_NOTHING ? 0 : 1;
	char text[256];

	if (all == want && by_end[end] == want)
		return;
	fail(r, "%s: should have counted %s and nothing else", who, end_name(end));
	node_counts_text(&c, text, sizeof(text));
	fail(r, "%s: %s", who, text);
}

static void check_side(struct run *r, struct node *n, const char *who, const struct side *want,
		       const struct node_counts *before)
{
	struct node_counts c;
	struct node_seen s;

	if (!node_counts(n, &c) || !node_seen(n, key, &s)) {
		fail(r, "%s does not answer", who);
		return;
	}
	if (!c.identity_ok)
		fail(r, "%s: the accounting identity is broken", who);
	node_counts_subtract(&c, before);
	if (r->blocker.open && n == r->busy) { /* it ended too: released, or by the drain */
		if (r->c.event == EV_DRAIN)
			c.cancelled_running--;
		else
			c.work_ok--;
	}
	check_end(r, who, c, want->end);
	if (s.entered != want->entered)
		fail(r, "%s: the handler %s", who, s.entered ? "ran" : "did not run");
	if (s.entered && !s.left)
		fail(r, "%s: the handler still runs", who);
	if (strcmp(s.reason, want->reason) != 0)
		fail(r, "%s: the handler saw '%s', not '%s'", who, s.reason, want->reason);
	note_late(r, s.stopped_after_us);
	if (!r->failed && want->reason[0] != '\0')
		printf("     %s stopped %" PRIu64 " us after '%s'\n", who, s.stopped_after_us,
		       s.reason);
}

static void check_servers(struct run *r)
{
	if (r->c.event != EV_DRAIN) {
		await(r, is_quiet, "nothing is in flight");
		if (r->blocker.open)
			node_release(r->busy, blocker_key);
	}
	await(r, is_empty, "the worker is free again");
	if (r->c.two_hops) {
		check_side(r, &r->first, "front", &r->e.front, &r->first_before);
		check_side(r, &r->second, "last", &r->e.last, &r->last_before);
	} else {
		check_side(r, &r->first, "server", &r->e.last, &r->last_before);
	}
}

static void tear_down(struct run *r)
{
	caller_free(&r->caller);
	caller_free(&r->blocker);
	if (!node_stop(&r->first))
		fail(r, "the first server did not exit cleanly");
	if (r->c.two_hops && !node_stop(&r->second))
		fail(r, "the last server did not exit cleanly");
	r->to_first = proxy_free(r->to_first);
	r->to_second = proxy_free(r->to_second);
	bench_fini(&r->bench);
}

static void run_case(struct run *r)
{
	build(r);
	if (r->c.stage == ST_QUEUED)
		block_worker(r);
	start_call(r, r->c.two_hops ? proxy_url(r->to_second) : "");
	take_stage(r);
	if (!r->too_late) {
		let_happen(r);
		check_caller(r);
		check_servers(r);
	}
	tear_down(r);
}

/* Again with more time where the deadline came before the stage, and where the case was
 * right but late: a defect is late each time, a machine that stalls is not. */
static bool run_until_in_time(struct run *r)
{
	static struct run fresh;
	unsigned tries = 0;

	for (fresh = *r;; *r = fresh) {
		run_case(r);
		if (r->too_late)
			fresh.timeout_ms *= 2;
		else if (r->failed || r->late_us == 0)
			return !r->failed;
		if (fresh.timeout_ms > TIMEOUT_MS_MAX || (!r->too_late && ++tries == TRIES))
			break;
	}
	if (r->too_late)
		fail(r, "the deadline always came before the stage");
	else
		fail(r, "too late each time, at last by %" PRIu64 " us", r->late_us);
	return false;
}

/* ---- the table ---------------------------------------------------------------------------- */

struct totals {
	unsigned passed, failed, not_applicable;
};

static void one(const struct combination *c, const char *filter, struct totals *t)
{
	static struct run r; /* too large for a stack of 256 KiB */

	memset(&r, 0, sizeof(r));
	r.c = *c;
	r.e = expect(c);
	r.timeout_ms = TIMEOUT_MS;
	(void)snprintf(r.name, sizeof(r.name), "%s/%s %s %s %s", event_name(c->event),
		       stage_name(c->stage), c->ipc ? "ipc" : "tcp",
		       c->two_hops ? "2 hops" : "1 hop",
		       c->own_process ? "processes" : "one process");
	if (filter != NULL && strstr(r.name, filter) == NULL)
		return;
	if (r.e.not_applicable != NULL) {
		printf("n/a  %s: %s\n", r.name, r.e.not_applicable);
		t->not_applicable++;
		return;
	}
	if (run_until_in_time(&r)) {
		printf("ok   %s: %s\n", r.name,
		       r.e.no_caller ? "caller dead" : ct_status_name(r.caller_status));
		t->passed++;
	} else {
		t->failed++;
	}
	CT_CHECK(fflush(stdout) == 0);
}

static void all(const char *filter, struct totals *t)
{
	struct combination c;

	for (unsigned where = 0; where < 8; where++) {
		c.own_process = (where & 4) != 0;
		c.two_hops = (where & 2) != 0;
		c.ipc = (where & 1) != 0;
		for (unsigned e = 0; e < EV_N; e++) {
			for (unsigned s = 0; s < ST_N; s++) {
				c.event = (enum event)e;
				c.stage = (enum stage)s;
				one(&c, filter, t);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };

	if (argc >= 5 && strcmp(argv[1], "--peer") == 0)
		return peer_main(argv + 2);
	if (argc >= 4 && strcmp(argv[1], "--caller") == 0)
		return caller_main(argv + 2, argc - 2);
	all(argc > 1 ? argv[1] : NULL, &t);
	printf("%u cases cannot apply\n", t.not_applicable);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	return t.failed == 0 ? 0 : 1;
}
