/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dialers and listeners that are freed at any moment of the handshake: nothing may
 * look at what belonged to them afterwards.
 */
#include "base/check.h"
#include "base/id.h"
#include "conc/latch.h"
#include "net/net.h"
#include "tests/lib/tally.h"

#include <stdatomic.h>
#include <stdio.h>

enum { LIVES = 3000, LIFE_US_MAX = 400 };

/* The arg of a dialer or a listener. Nothing may look at it once that is freed. */
struct life {
	_Atomic bool over;
	_Atomic unsigned inside;
};

static struct life lives[2 * LIVES];
static _Atomic uint64_t births, deaths, ghosts;

static void life_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct life *l = arg;

	(void)c;
	atomic_fetch_add(&l->inside, 1);
	atomic_fetch_add(&births, 1);
	*ret_user = NULL;
	sched_yield(); /* to let a free overtake it, if it can */
	if (atomic_load(&l->over))
		atomic_fetch_add(&ghosts, 1);
	atomic_fetch_sub(&l->inside, 1);
}

static void life_closed(struct ct_conn *c, void *user, ct_status why)
{
	(void)c;
	(void)user;
	(void)why;
	atomic_fetch_add(&deaths, 1);
}

static void life_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	(void)c;
	(void)user;
	(void)msgs;
	(void)n;
}

static const struct ct_conn_events life_events = { life_opened, life_batch, life_closed };

static void end_life(struct life *l)
{
	atomic_store(&l->over, true);
	if (atomic_load(&l->inside) != 0)
		atomic_fetch_add(&ghosts, 1);
}

static void live(struct ct_net *net, unsigned i, struct ct_latch *never)
{
	struct life *here = &lives[2 * i], *there = &lives[2 * i + 1];
	const struct ct_listener_opts lo = { .url = "tcp://127.0.0.1:0",
					     .events = &life_events,
					     .arg = here };
	const uint64_t us = ct_random_u64() % LIFE_US_MAX;
	struct ct_dialer_opts o = { .events = &life_events, .arg = there };
	struct ct_listener *l;
	struct ct_dialer *d;
	const char *why;

	CT_CHECK(ct_listener_new(net, &lo, &l, &why) == CT_OK);
	o.url = ct_listener_url(l);
	CT_CHECK(ct_dialer_new(net, &o, &d, &why) == CT_OK);
	(void)!ct_latch_wait_until(never, ct_instant_add_us(ct_now(ct_clock_system()), us));
	if (i % 2 == 0)
		d = ct_dialer_free(d);
	else
		l = ct_listener_free(l);
	end_life(i % 2 == 0 ? there : here);
	d = ct_dialer_free(d);
	l = ct_listener_free(l);
	end_life(here);
	end_life(there);
}

static void short_lives(void)
{
	struct ct_net_opts o = { .backoff_min_ms = 1 };
	struct ct_latch never;
	struct ct_net *net;

	ct_latch_init(&never, 1);
	CT_CHECK(ct_timers_new(NULL, &o.timers) == CT_OK);
	CT_CHECK(ct_net_new(&o, &net) == CT_OK);
	for (unsigned i = 0; i < LIVES; i++)
		live(net, i, &never);
	net = ct_net_free(net);
	o.timers = ct_timers_free(o.timers);
	ct_latch_fini(&never);
	printf("short lives: %llu of %u handshakes were finished\n",
	       (unsigned long long)atomic_load(&births), 2U * LIVES);
	expect(atomic_load(&births) > 0, "some of the short lives began");
	expect(atomic_load(&births) == atomic_load(&deaths), "each of them ended");
	expect(atomic_load(&ghosts) == 0, "none was told to what had been freed");
}

int main(void)
{
	short_lives();
	return tally_end();
}
