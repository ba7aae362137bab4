/* SPDX-License-Identifier: Apache-2.0 */
/* Freeing a dialer or a listener while its `opened` runs. */
#include "tests/unit/net/rig.h"

#include "tests/lib/gate.h"
#include "tests/lib/leak_check.h"

#include "conc/thread.h"

#include <unistd.h>

TestSuite(opened, .fini = leak_check, .timeout = 60);

enum { NOT_YET_MS = 60 };

/* An arg whose `opened` stays inside until it is let go. */
struct held {
	sem_t entered, go_on, freed;
	_Atomic unsigned opened, closed;
	struct ct_dialer *d;
	struct ct_listener *l;
};

static void held_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct held *h = arg;

	(void)c;
	*ret_user = h;
	CT_CHECK(sem_post(&h->entered) == 0);
	AWAIT(&h->go_on);
	atomic_fetch_add(&h->opened, 1); /* the last touch, which a free must wait for */
}

static void held_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	(void)c;
	(void)user;
	(void)msgs;
	(void)n;
}

static void held_closed(struct ct_conn *c, void *user, ct_status why)
{
	struct held *h = user;

	(void)c;
	(void)why;
	atomic_fetch_add(&h->closed, 1);
}

static const struct ct_conn_events held_events = { held_opened, held_batch, held_closed };

static void held_init(struct held *h)
{
	*h = (struct held){ .d = NULL };
	cr_assert_eq(sem_init(&h->entered, 0, 0), 0);
	cr_assert_eq(sem_init(&h->go_on, 0, 0), 0);
	cr_assert_eq(sem_init(&h->freed, 0, 0), 0);
}

static void *free_endpoints(void *arg)
{
	struct held *h = arg;

	h->d = ct_dialer_free(h->d);
	h->l = ct_listener_free(h->l);
	CT_CHECK(sem_post(&h->freed) == 0);
	return NULL;
}

/* Its `opened` runs: what it belongs to is freed only once that has returned. */
static void expect_free_waits(struct held *h)
{
	pthread_t thread;

	cr_assert(sem_posted_within_ms(&h->entered, AWAIT_MS));
	cr_assert_eq(ct_thread_start(&thread, "free", free_endpoints, h), CT_OK);
	cr_assert_not(sem_posted_within_ms(&h->freed, NOT_YET_MS));
	cr_assert_eq(atomic_load(&h->opened), 0);

	cr_assert_eq(sem_post(&h->go_on), 0);

	cr_assert(sem_posted_within_ms(&h->freed, AWAIT_MS));
	cr_assert_eq(atomic_load(&h->opened), 1);
	ct_thread_join(thread);
}

Test(opened, free_of_a_dialer_waits_for_it)
{
	struct tap server;
	struct ct_listener *l;
	struct held h;
	struct rig r;
	const char *why;

	rig_init(&r, NULL);
	tap_init(&server);
	held_init(&h);
	l = rig_listen(&r, "tcp://127.0.0.1:0", &server);
	const struct ct_dialer_opts o = { .url = ct_listener_url(l),
					  .events = &held_events,
					  .arg = &h };
	cr_assert_eq(ct_dialer_new(r.net, &o, &h.d, &why), CT_OK);

	expect_free_waits(&h);

	l = ct_listener_free(l);
	rig_fini(&r);
	cr_assert_eq(atomic_load(&h.closed), 1);
	tap_fini(&server);
}

Test(opened, free_of_a_listener_waits_for_it)
{
	struct held h;
	const struct ct_listener_opts o = { .url = "tcp://127.0.0.1:0",
					    .events = &held_events,
					    .arg = &h };
	struct rig r;
	const char *why;
	int fd;

	rig_init(&r, NULL);
	held_init(&h);
	cr_assert_eq(ct_listener_new(r.net, &o, &h.l, &why), CT_OK);
	fd = raw_connect(ct_listener_url(h.l));
	raw_say_hello(fd, CT_SP_REQ);

	expect_free_waits(&h);

	raw_read_to_end(fd);
	close(fd);
	rig_fini(&r);
	cr_assert_eq(atomic_load(&h.closed), 1);
}
