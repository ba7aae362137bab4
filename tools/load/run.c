/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run: the slots, who starts them, and the window. Slots belong to the thread in
 * load_run() while they are idle; it hands them out and gets them back over a list that
 * any thread pushes to and it alone takes. In closed loop a slot comes back only when
 * the run is over, or when its calls end inside start too often in a row.
 *
 *            hand out            start returned
 *   IDLE ---------------> STARTING ------------> UNDER_WAY
 *     ^                    |   ^                    |
 *     |     ended already  v   | closed loop:       | load_call_ended()
 *     +------------------ ENDED + the next call <---+
 */
#include "load/load.h"

#include "base/check.h"
#include "base/mem.h"
#include "load/clock.h"
#include "load/meter.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define NS_PER_S INT64_C(1000000000)
#define RATE_MAX 1e7

enum {
	SLOTS_DEFAULT = 4096,
	AT_ONCE_MAX = 16,  /* calls of a slot in a row that end inside start */
	BURST_MAX = 64,    /* open loop: calls started before the thread looks around */
	TICK_MS = 10,      /* closed loop: to look at slots that came back, and whether to stop */
	DRAIN_TICK_MS = 1, /* to see whether all calls have ended */
	STARVED_US = 100,  /* open loop: to look whether a slot came back */
	TOGETHER_US_MAX = 1000 * 1000,
	LOST_MS = 10 * 1000 /* beyond its timeout a call is given up */
};

enum state { IDLE, STARTING, UNDER_WAY, ENDED };

struct slot {
	struct load_call call;
	struct run *run;
	struct slot *next; /* in idle or given_back */
	/* of the call that ended; passed on by state, or with the slot */
	int64_t ended_ns;
	int status;
	atomic_int state; /* enum state */
};

struct run {
	/* fixed before the first start */
	struct load_plan plan;
	struct load_real_clock real;
	struct load_clock *clock; /* the plan's, or real's */
	load_start_fn *start;
	void *target;
	struct load_meter *meter;
	struct slot *slots;
	uint32_t slots_n;
	int64_t zero_ns, begin_ns, end_ns; /* of the warm-up, of the window */

	_Atomic(struct slot *) given_back; /* release and acquire: the slot with its call's end */

	/* of the thread in load_run() */
	struct slot *idle;
	uint32_t idle_n;
	uint64_t due_n;      /* open loop: how many calls were due and dealt with */
	int64_t starved_ns;  /* open loop: when there was no slot, last */
	int64_t closed_ns;   /* end_ns, or when the run was stopped */
	int64_t cpu_ns;      /* at the window's opening, then in it */
	int64_t progress_ns; /* the next time to tell */
	bool opened;
	struct load_result result; /* what this thread counts */
};

static int64_t now_of(const struct run *r)
{
	return r->clock->now_ns(r->clock);
}

static bool stopped(const struct run *r)
{
	return r->plan.stopped != NULL && r->plan.stopped(r->plan.arg);
}

static int64_t cpu_now_ns(void)
{
	struct rusage u;

	CT_CHECK(getrusage(RUSAGE_SELF, &u) == 0);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NS_PER_US;
}

/* ---- slots ------------------------------------------------------------------------ */

/* The last touch of the slot, and of the run, by a thread that is not in load_run(). */
static void give_back(struct slot *s)
{
	struct run *r = s->run;
	struct slot *head = atomic_load_explicit(&r->given_back, memory_order_relaxed);

	do
		s->next = head;
	while (!atomic_compare_exchange_weak_explicit(&r->given_back, &head, s,
						      memory_order_release, memory_order_relaxed));
}

static void take_back(struct run *r)
{
	struct slot *s = atomic_exchange_explicit(&r->given_back, NULL, memory_order_acquire);

	while (s != NULL) {
		struct slot *next = s->next;

		s->next = r->idle;
		r->idle = s;
		r->idle_n++;
		s = next;
	}
}

static struct slot *hand_out(struct run *r)
{
	struct slot *s;

	if (r->idle == NULL)
		take_back(r);
	s = r->idle;
	if (s == NULL)
		return NULL;
	r->idle = s->next;
	r->idle_n--;
	return s;
}

static void record(const struct slot *s)
{
	const struct run *r = s->run;
	const int64_t ns = s->ended_ns - s->call.due_ns;

	if (s->call.due_ns >= r->begin_ns)
		load_meter_record(r->meter, s->status, ns > 0 ? (uint64_t)ns : 0);
}

/* Closed loop: the call that ended is recorded; true: the next one is due. */
static bool next_call(struct slot *s)
{
	record(s);
	if (s->ended_ns >= s->run->end_ns || stopped(s->run))
		return false;
	s->call.due_ns = s->ended_ns;
	return true;
}

/* Closed loop: starts the slot's call, and those behind it while they end inside start. */
static void keep_going(struct slot *s)
{
	struct run *r = s->run;

	for (unsigned i = 0; i < AT_ONCE_MAX; i++) {
		int starting = STARTING;

		atomic_store(&s->state, STARTING);
		r->start(r->target, &s->call);
		if (atomic_compare_exchange_strong(&s->state, &starting, UNDER_WAY))
			return; /* whoever ends it goes on */
		CT_CHECK(starting == ENDED);
		if (!next_call(s))
			break;
	}
	atomic_store(&s->state, IDLE);
	give_back(s);
}

static void ended_in_closed_loop(struct slot *s)
{
	int state = STARTING;

	if (atomic_compare_exchange_strong(&s->state, &state, ENDED))
		return;               /* the thread that starts it goes on */
	CT_CHECK(state == UNDER_WAY); /* else it ended twice */
	if (next_call(s)) {
		keep_going(s);
		return;
	}
	atomic_store(&s->state, IDLE);
	give_back(s);
}

void load_call_ended(struct load_call *call, int status)
{
	struct slot *s = CT_CONTAINER_OF(call, struct slot, call);

	s->ended_ns = now_of(s->run);
	s->status = status;
	if (s->run->plan.outstanding > 0) {
		ended_in_closed_loop(s);
		return;
	}
	CT_CHECK(atomic_exchange(&s->state, IDLE) != IDLE); /* else it ended twice */
	record(s);
	give_back(s);
}

/* ---- the window --------------------------------------------------------------------- */

static void read_result(const struct run *r, int64_t now, struct load_result *ret)
{
	*ret = r->result;
	load_meter_read(r->meter, ret);
	ret->elapsed_ns = now > r->begin_ns ? now - r->begin_ns : 0;
	ret->cpu_ns = r->opened ? cpu_now_ns() - r->cpu_ns : 0;
}

/* Opens the window and tells how far it is, each when its time has come. */
static void look_around(struct run *r, int64_t now)
{
	const struct load_plan *p = &r->plan;
	struct load_result so_far;

	if (!r->opened && now >= r->begin_ns) {
		r->opened = true;
		r->cpu_ns = cpu_now_ns();
		if (p->window != NULL)
			p->window(p->arg, true);
	}
	if (p->progress_ms > 0 && now >= r->progress_ns) {
		read_result(r, now, &so_far);
		p->progress(p->arg, &so_far);
		r->progress_ns = now + p->progress_ms * NS_PER_MS;
	}
}

static void close_window(struct run *r, int64_t now)
{
	r->result.stopped = now < r->end_ns;
	r->closed_ns = r->result.stopped ? now : r->end_ns;
	r->result.elapsed_ns = r->closed_ns > r->begin_ns ? r->closed_ns - r->begin_ns : 0;
	r->result.cpu_ns = r->opened ? cpu_now_ns() - r->cpu_ns : 0;
	if (r->opened && r->plan.window != NULL)
		r->plan.window(r->plan.arg, false);
}

/* When look_around() has something to do, `at` at the latest. */
static int64_t sooner(const struct run *r, int64_t at)
{
	if (at > r->end_ns)
		at = r->end_ns;
	if (!r->opened && at > r->begin_ns)
		at = r->begin_ns;
	if (r->plan.progress_ms > 0 && at > r->progress_ns)
		at = r->progress_ns;
	return at;
}

/* ---- loops ---------------------------------------------------------------------------- */

static void closed_loop(struct run *r)
{
	int64_t now = now_of(r);

	while (now < r->end_ns && !stopped(r)) {
		struct slot *s;

		look_around(r, now);
		take_back(r);
		while (r->idle != NULL) {
			s = hand_out(r);
			s->call.due_ns = now_of(r);
			keep_going(s);
		}
		r->clock->wait_until_ns(r->clock, sooner(r, now + TICK_MS * NS_PER_MS));
		now = now_of(r);
	}
	close_window(r, now);
}

static int64_t due_at(const struct run *r, uint64_t i)
{
	return r->zero_ns + (int64_t)((double)i * (double)NS_PER_S / r->plan.rate);
}

/* False: a call that is due waits for a slot. */
static bool start_some(struct run *r)
{
	const int64_t patience = r->plan.timeout_ms * NS_PER_MS;

	for (unsigned i = 0; i < BURST_MAX; i++) {
		const int64_t now = now_of(r), due = due_at(r, r->due_n);
		const bool counts = due >= r->begin_ns;
		struct slot *s;

		if (due > now || due >= r->end_ns)
			return true;
		s = hand_out(r);
		if (s == NULL) {
			r->starved_ns = now;
			if (now - due < patience)
				return false;
			r->result.missed += counts;
			r->due_n++;
			continue;
		}
		r->due_n++;
		if (counts) {
			r->result.delayed += due <= r->starved_ns;
			load_hist_add(&r->result.late_ns, (uint64_t)(now - due));
		}
		s->call.due_ns = due;
		atomic_store(&s->state, STARTING);
		r->start(r->target, &s->call);
	}
	return true;
}

/* Starts some of what is due. False as above. */
static bool start_due(struct run *r)
{
	bool more;

	if (r->plan.together == NULL)
		return start_some(r);
	r->plan.together(r->plan.arg, true);
	more = start_some(r);
	r->plan.together(r->plan.arg, false);
	return more;
}

/* What was due before the run was stopped and waited for a slot never starts. */
static void miss_the_rest(struct run *r)
{
	for (int64_t due; (due = due_at(r, r->due_n)) < r->closed_ns; r->due_n++)
		r->result.missed += due >= r->begin_ns;
}

static void open_loop(struct run *r)
{
	bool closed = false;

	while (!stopped(r)) {
		const bool starved = !start_due(r);
		const int64_t now = now_of(r), due = due_at(r, r->due_n);
		const int64_t next = starved ? now + STARVED_US * NS_PER_US
					     : sooner(r, due + r->plan.together_us * NS_PER_US);

		if (!closed)
			look_around(r, now);
		if (!closed && now >= r->end_ns) {
			close_window(r, now);
			closed = true;
		}
		if (due >= r->end_ns && closed)
			return;
		if (next > now)
			r->clock->wait_until_ns(r->clock, next);
	}
	if (!closed)
		close_window(r, now_of(r));
	miss_the_rest(r);
}

/* Waits for the calls under way. */
static void drain(struct run *r)
{
	const int64_t until = now_of(r) + (r->plan.timeout_ms + LOST_MS) * NS_PER_MS;
	int64_t now;

	take_back(r);
	while (r->idle_n < r->slots_n && (now = now_of(r)) < until) {
		r->clock->wait_until_ns(r->clock, now + DRAIN_TICK_MS * NS_PER_MS);
		take_back(r);
	}
	r->result.lost = r->slots_n - r->idle_n;
}

/* ---- life -------------------------------------------------------------------------------- */

static bool in_range(const struct load_plan *p)
{
	if (p->duration_ms == 0 || p->timeout_ms == 0)
		return false;
	if (p->outstanding > LOAD_SLOTS_MAX || p->slots_max > LOAD_SLOTS_MAX)
		return false;
	if (p->together_us > TOGETHER_US_MAX)
		return false;
	return p->outstanding > 0 || (p->rate > 0 && p->rate <= RATE_MAX);
}

static bool make_slots(struct run *r)
{
	const struct load_plan *p = &r->plan;
	const uint32_t connections = p->connections > 0 ? p->connections : 1;

	r->slots_n = p->outstanding > 0 ? p->outstanding
		     : p->slots_max > 0 ? p->slots_max
					: (uint32_t)SLOTS_DEFAULT;
	r->slots = ct_mem_zalloc(r->slots_n, sizeof(*r->slots));
	if (r->slots == NULL)
		return false;
	for (uint32_t i = 0; i < r->slots_n; i++) {
		struct slot *s = &r->slots[i];

		s->run = r;
		s->call.index = i;
		s->call.connection = i % connections;
		if (p->prepare != NULL && !p->prepare(p->arg, &s->call))
			return false;
	}
	for (uint32_t i = r->slots_n; i > 0; i--)
		give_back(&r->slots[i - 1]);
	return true;
}

static void set_times(struct run *r)
{
	r->zero_ns = now_of(r);
	r->begin_ns = r->zero_ns + r->plan.warmup_ms * NS_PER_MS;
	r->end_ns = r->begin_ns + r->plan.duration_ms * NS_PER_MS;
	r->progress_ns = r->zero_ns + r->plan.progress_ms * NS_PER_MS;
	r->starved_ns = r->zero_ns - 1;
}

/* The kernel may wake a thread 50 us late unless it is told otherwise. */
static void paced(struct run *r)
{
	const int slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);

	CT_CHECK(slack >= 0);
	CT_CHECK(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0);
	open_loop(r);
	CT_CHECK(prctl(PR_SET_TIMERSLACK, slack, 0, 0, 0) == 0);
}

static void go(struct run *r, struct load_result *ret)
{
	set_times(r);
	if (r->plan.outstanding > 0)
		closed_loop(r);
	else
		paced(r);
	drain(r);
	*ret = r->result;
	load_meter_read(r->meter, ret);
}

static struct run *run_free(struct run *r)
{
	ct_mem_free(r->slots);
	r->meter = load_meter_free(r->meter);
	load_real_clock_fini(&r->real);
	ct_mem_free(r);
	return NULL;
}

int load_run(const struct load_plan *plan, load_start_fn *start, void *target,
	     struct load_result *ret)
{
	struct run *r = in_range(plan) ? ct_mem_zalloc(1, sizeof(*r)) : NULL;

	if (r == NULL)
		return -1;
	load_real_clock_init(&r->real);
	r->plan = *plan;
	r->clock = plan->clock != NULL ? plan->clock : &r->real.clock;
	r->start = start;
	r->target = target;
	r->meter = load_meter_new();
	if (r->meter == NULL || !make_slots(r)) {
		r = run_free(r);
		return -1;
	}
	go(r, ret);
	if (ret->lost == 0) /* else the driver may still come for its slots */
		r = run_free(r);
	return 0;
}
