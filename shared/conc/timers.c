/* SPDX-License-Identifier: Apache-2.0 */
#include "conc/timers.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"

#include <stdint.h>
#include <sys/prctl.h>

#define TIMERS_TAG 0x54696d65U /* "Time" */
#define NS_PER_MS INT64_C(1000000)
#define AWAKE INT64_MIN /* of sleep_ns: earlier than any instant, so arm wakes nobody */

enum {
	BITS = 6, /* of a tick, per level: the slots of a level fit one bitmap word */
	SLOTS = 1 << BITS,
	LEVELS = 8, /* 48 bits of ms: more than an instant has */
	NOWHERE = -1,
	DUE = LEVELS * SLOTS,
};

/*
 * A timer's place follows from its tick (its instant in whole ms) and the wheel's:
 * the level is that of the highest group of BITS bits in which they differ, the
 * slot is the timer's group there. So all of a level is earlier than all of the
 * next, slots of a level are in order, and the first slot of the lowest level that
 * is not empty holds the earliest timers. When the wheel's tick comes to the start
 * of a slot, the slot's timers move to lower levels, at level 0 they are due.
 */
struct ct_timers {
	unsigned tag;
	/* fixed after new */
	const struct ct_clock *clk;
	bool real; /* clk is the system's, which the thread's condition waits on */
	pthread_t thread;

	struct ct_lock lock; /* rank TIMERS; protects everything below */
	struct ct_cond wake; /* the thread: there is something to do before sleep_ns */
	struct ct_cond done; /* everybody else: firing changed, or pokes_done did */
	unsigned waiting;    /* on done */
	uint64_t tick;       /* no armed timer's place is before it */
	int64_t sleep_ns;    /* when the thread will look by itself, AWAKE: at once */
	struct ct_timer *firing;
	uint64_t pokes, pokes_done;
	bool stopping;
	struct ct_list due;
	uint64_t used[LEVELS]; /* bit: the slot is not empty */
	struct ct_list slots[LEVELS * SLOTS];
};

static uint64_t tick_of(ct_instant at)
{
	return at.ns > 0 ? (uint64_t)(at.ns / NS_PER_MS) : 0;
}

static void place_locked(struct ct_timers *w, struct ct_timer *t) CT_REQUIRES(&w->lock)
{
	const uint64_t at = tick_of(t->at);
	const uint64_t tick = at > w->tick ? at : w->tick;
	const uint64_t differ = tick ^ w->tick;
	const int level = differ == 0 ? 0 : (63 - __builtin_clzll(differ)) / BITS;
	const int slot = (int)(tick >> (level * BITS) & (SLOTS - 1));

	t->slot = level * SLOTS + slot;
	w->used[level] |= UINT64_C(1) << slot;
	ct_list_push_back(&w->slots[t->slot], &t->link);
}

static void unlink_locked(struct ct_timers *w, struct ct_timer *t) CT_REQUIRES(&w->lock)
{
	const int slot = t->slot;

	ct_list_remove(&t->link);
	t->slot = NOWHERE;
	if (slot != DUE && ct_list_empty(&w->slots[slot]))
		w->used[slot / SLOTS] &= ~(UINT64_C(1) << (slot % SLOTS));
}

/* The slot of the earliest timers and the tick it starts at. NOWHERE: none is armed. */
static int first_slot_locked(const struct ct_timers *w, uint64_t *ret_start) CT_REQUIRES(&w->lock)
{
	for (int level = 0; level < LEVELS; level++) {
		const int shift = level * BITS;
		int slot;

		if (w->used[level] == 0)
			continue;
		slot = __builtin_ctzll(w->used[level]);
		*ret_start = (w->tick >> shift >> BITS << BITS | (uint64_t)slot) << shift;
		return level * SLOTS + slot;
	}
	return NOWHERE;
}

/* Takes a slot apart at its start: to lower levels, and from level 0 to due what
 * is due now. False: something of this ms is still to come. */
static bool open_slot_locked(struct ct_timers *w, int slot, ct_instant now) CT_REQUIRES(&w->lock)
{
	struct ct_list timers;
	struct ct_list *l;
	bool later = false;

	ct_list_init(&timers);
	ct_list_splice_back(&timers, &w->slots[slot]);
	w->used[slot / SLOTS] &= ~(UINT64_C(1) << (slot % SLOTS));
	while ((l = ct_list_pop_front(&timers)) != NULL) {
		struct ct_timer *t = CT_CONTAINER_OF(l, struct ct_timer, link);

		if (slot < SLOTS && t->at.ns <= now.ns) {
			ct_list_push_back(&w->due, l);
			t->slot = DUE;
		} else {
			place_locked(w, t);
			later = later || slot < SLOTS;
		}
	}
	return !later;
}

/* Turns the wheel to now. */
static void advance_locked(struct ct_timers *w, ct_instant now) CT_REQUIRES(&w->lock)
{
	const uint64_t now_tick = tick_of(now);
	uint64_t start;
	int slot;

	while ((slot = first_slot_locked(w, &start)) != NOWHERE && start <= now_tick) {
		w->tick = start;
		if (!open_slot_locked(w, slot, now))
			break;
	}
	if (w->tick < now_tick)
		w->tick = now_tick; /* nothing stands between */
}

/* When to look next: the earliest instant, or the start of its slot where that is
 * longer than a ms. */
static ct_instant next_locked(const struct ct_timers *w) CT_REQUIRES(&w->lock)
{
	ct_instant next = CT_NEVER;
	uint64_t start;
	const int slot = first_slot_locked(w, &start);

	if (slot == NOWHERE)
		return CT_NEVER;
	if (slot >= SLOTS)
		return (ct_instant){ .ns = (int64_t)start * NS_PER_MS };
	for (const struct ct_list *l = w->slots[slot].next; l != &w->slots[slot]; l = l->next)
		next = ct_deadline_sooner(next, CT_CONTAINER_OF(l, struct ct_timer, link)->at);
	return next;
}

static void tell_locked(struct ct_timers *w) CT_REQUIRES(&w->lock)
{
	if (w->waiting > 0)
		ct_cond_broadcast(&w->done);
}

static void fire_locked(struct ct_timers *w, struct ct_timer *t) CT_REQUIRES(&w->lock)
{
	ct_timer_fn *const fn = t->fn;

	unlink_locked(w, t);
	w->firing = t;
	ct_lock_release(&w->lock);
	ct_lock_check_none();
	fn(t); /* t may be gone after it */
	ct_lock_acquire(&w->lock);
	w->firing = NULL;
	tell_locked(w);
}

static void sleep_locked(struct ct_timers *w) CT_REQUIRES(&w->lock)
{
	const ct_instant next = next_locked(w);

	w->sleep_ns = next.ns;
	if (w->real)
		(void)ct_cond_wait_until(&w->wake, &w->lock, next); /* either way: look */
	else
		ct_cond_wait(&w->wake, &w->lock);
	w->sleep_ns = AWAKE;
}

static void *timer_main(void *arg)
{
	struct ct_timers *w = arg;

	CT_TAG_CHECK(w, TIMERS_TAG);
	ct_thread_prompt(); /* a deadline passes also where a handler computes */
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); /* else the kernel is 50 us late */
	ct_lock_acquire(&w->lock);
	while (!w->stopping) {
		const uint64_t pokes = w->pokes;

		if (ct_list_empty(&w->due))
			advance_locked(w, ct_now(w->clk));
		if (!ct_list_empty(&w->due)) {
			fire_locked(w, CT_CONTAINER_OF(w->due.next, struct ct_timer, link));
			continue;
		}
		w->pokes_done = pokes;
		tell_locked(w);
		sleep_locked(w);
	}
	ct_lock_release(&w->lock);
	return NULL;
}

static void release(struct ct_timers *w)
{
	ct_cond_fini(&w->done);
	ct_cond_fini(&w->wake);
	ct_lock_fini(&w->lock);
	CT_TAG_CLEAR(w);
	ct_mem_free(w);
}

ct_status ct_timers_new(const struct ct_clock *clk, struct ct_timers **ret_timers)
{
	struct ct_timers *w = ct_mem_zalloc(1, sizeof(*w));
	ct_status st;

	if (w == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(w, TIMERS_TAG);
	w->clk = clk != NULL ? clk : ct_clock_system();
	w->real = w->clk == ct_clock_system();
	w->tick = tick_of(ct_now(w->clk));
	w->sleep_ns = AWAKE;
	ct_lock_init(&w->lock, CT_RANK_TIMERS);
	ct_cond_init(&w->wake);
	ct_cond_init(&w->done);
	ct_list_init(&w->due);
	for (size_t i = 0; i < CT_ARRAY_N(w->slots); i++)
		ct_list_init(&w->slots[i]);
	st = ct_thread_start(&w->thread, "ct-timer", timer_main, w);
	if (st == CT_OK)
		*ret_timers = w;
	else
		release(w);
	return st;
}

struct ct_timers *ct_timers_free(struct ct_timers *w)
{
	if (w == NULL)
		return NULL;
	CT_TAG_CHECK(w, TIMERS_TAG);
	CT_CHECK(!pthread_equal(pthread_self(), w->thread));
	ct_lock_acquire(&w->lock);
	w->stopping = true;
	ct_cond_signal(&w->wake);
	ct_lock_release(&w->lock);
	ct_thread_join(w->thread);
	release(w);
	return NULL;
}

const struct ct_clock *ct_timers_clock(const struct ct_timers *w)
{
	return w->clk;
}

void ct_timer_init(struct ct_timer *t, ct_timer_fn *fn)
{
	ct_list_init(&t->link);
	t->at = CT_NEVER;
	t->fn = fn;
	t->slot = NOWHERE;
}

void ct_timers_arm(struct ct_timers *w, struct ct_timer *t, ct_instant at)
{
	CT_TAG_CHECK(w, TIMERS_TAG);
	if (at.ns == INT64_MAX)
		return;
	ct_lock_acquire(&w->lock);
	CT_CHECK(t->slot == NOWHERE);
	t->at = at;
	place_locked(w, t);
	if (at.ns < w->sleep_ns) {
		w->sleep_ns = AWAKE; /* it will look: who comes next need not wake it */
		ct_cond_signal(&w->wake);
	}
	ct_lock_release(&w->lock);
}

bool ct_timers_cancel(struct ct_timers *w, struct ct_timer *t)
{
	bool armed;

	CT_TAG_CHECK(w, TIMERS_TAG);
	ct_lock_acquire(&w->lock);
	armed = t->slot != NOWHERE;
	if (armed)
		unlink_locked(w, t);
	ct_lock_release(&w->lock);
	return armed;
}

void ct_timers_cancel_wait(struct ct_timers *w, struct ct_timer *t)
{
	CT_TAG_CHECK(w, TIMERS_TAG);
	ct_lock_acquire(&w->lock);
	if (t->slot != NOWHERE)
		unlink_locked(w, t);
	while (w->firing == t && !pthread_equal(pthread_self(), w->thread)) {
		w->waiting++;
		ct_cond_wait(&w->done, &w->lock);
		w->waiting--;
		if (t->slot != NOWHERE) /* its fn has armed it again */
			unlink_locked(w, t);
	}
	ct_lock_release(&w->lock);
}

void ct_timers_poke(struct ct_timers *w)
{
	uint64_t mine;

	CT_TAG_CHECK(w, TIMERS_TAG);
	if (pthread_equal(pthread_self(), w->thread))
		return;
	ct_lock_acquire(&w->lock);
	mine = ++w->pokes;
	ct_cond_signal(&w->wake);
	w->waiting++;
	while (w->pokes_done < mine)
		ct_cond_wait(&w->done, &w->lock);
	w->waiting--;
	ct_lock_release(&w->lock);
}
