/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that talk and are closed at random from both sides. Checks what the
 * contract promises: events of a connection never overlap, none comes after
 * `closed`, every `opened` has its `closed`, and the counters agree.
 * With an argument, "speed [seconds]", it measures echo over tcp between two
 * processes instead.
 */
#include "base/check.h"
#include "base/id.h"
#include "base/mem.h"
#include "conc/latch.h"
#include "net/net.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIALERS = 12, BODY_MAX = 3000, BURST_MAX = 24, WAIT_MS = 60000 };

static unsigned passed, failed;

static void expect(bool ok, const char *what)
{
	printf("%s: %s\n", ok ? "ok" : "FAILED", what);
	passed += ok ? 1 : 0;
	failed += ok ? 0 : 1;
}

/* ---- storm ---------------------------------------------------------------------- */

/* What one connection's events may not do to each other. */
struct link {
	_Atomic int inside;
	bool closed;
};

struct side {
	_Atomic uint64_t opened, closed, batches, msgs, sent, overlaps, late;
	bool client;
};

static struct side server = { .client = false }, client = { .client = true };
static _Atomic int64_t left; /* messages until it is over */
static struct ct_latch over;
static uint8_t filler[BODY_MAX];

static struct side *side_of(const struct link *l);

struct user {
	struct link link;
	struct side *side;
};

static struct side *side_of(const struct link *l)
{
	return CT_CONTAINER_OF(l, const struct user, link)->side;
}

static void enter(struct link *l)
{
	if (atomic_fetch_add(&l->inside, 1) != 0)
		atomic_fetch_add(&side_of(l)->overlaps, 1);
	if (l->closed)
		atomic_fetch_add(&side_of(l)->late, 1);
}

static void leave(struct link *l)
{
	atomic_fetch_sub(&l->inside, 1);
}

static void send_one(struct ct_conn *c, struct side *s, struct ct_sp_route route, size_t len)
{
	const struct ct_bytes parts[3] = { ct_bytes_of(filler, len / 2), CT_BYTES_NONE,
					   ct_bytes_of(filler, len - len / 2) };

	if (ct_conn_send(c, &route, parts) == CT_OK)
		atomic_fetch_add(&s->sent, 1);
}

static void send_burst(struct ct_conn *c, struct side *s)
{
	const uint64_t dice = ct_random_u64();
	const unsigned n = 1 + (unsigned)(dice % BURST_MAX);

	for (unsigned i = 0; i < n; i++)
		send_one(c, s,
			 (struct ct_sp_route){ .words = { UINT32_C(0x80000000) | i }, .n = 1 },
			 (size_t)(dice >> 32) % BODY_MAX);
}

static void opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct user *u = ct_mem_zalloc(1, sizeof(*u));

	CT_CHECK(u != NULL);
	u->side = arg;
	enter(&u->link);
	atomic_fetch_add(&u->side->opened, 1);
	*ret_user = u;
	if (u->side->client)
		send_burst(c, u->side);
	leave(&u->link);
}

/* One message in 500 ends the connection, in one of the ways there are. */
static void maybe_end(struct ct_conn *c)
{
	const uint64_t dice = ct_random_u64() % 1500;

	if (dice == 0)
		ct_conn_close(c, CT_CANCELLED);
	else if (dice == 1)
		ct_conn_finish(c);
	else if (dice == 2)
		send_one(c, &server, (struct ct_sp_route){ .words = { 0x80000000 }, .n = 1 }, 0);
}

static void batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	struct user *u = user;

	enter(&u->link);
	atomic_fetch_add(&u->side->batches, 1);
	atomic_fetch_add(&u->side->msgs, n);
	for (size_t i = 0; i < n; i++) {
		send_one(c, u->side, msgs[i].route, msgs[i].body.len);
		maybe_end(c);
	}
	leave(&u->link);
	if (atomic_fetch_sub(&left, (int64_t)n) > 0 && atomic_load(&left) <= 0)
		ct_latch_count_down(&over);
}

static void closed(struct ct_conn *c, void *user, ct_status why)
{
	struct user *u = user;

	(void)c;
	(void)why;
	enter(&u->link);
	u->link.closed = true;
	atomic_fetch_add(&u->side->closed, 1);
	leave(&u->link);
	ct_mem_free(u);
}

static const struct ct_conn_events events = { opened, batch, closed };

static void report(const char *name, const struct side *s)
{
	printf("%s: opened %llu, closed %llu, batches %llu, messages in %llu, out %llu\n", name,
	       (unsigned long long)atomic_load(&s->opened),
	       (unsigned long long)atomic_load(&s->closed),
	       (unsigned long long)atomic_load(&s->batches),
	       (unsigned long long)atomic_load(&s->msgs),
	       (unsigned long long)atomic_load(&s->sent));
	expect(atomic_load(&s->opened) == atomic_load(&s->closed), "each opened has its closed");
	expect(atomic_load(&s->overlaps) == 0, "events of a connection never overlap");
	expect(atomic_load(&s->late) == 0, "no event comes after closed");
}

static void storm(const char *url, int64_t messages)
{
	const struct ct_net_opts opts = { .backoff_min_ms = 1, .backoff_max_ms = 8 };
	struct ct_net_opts o = opts;
	const struct ct_listener_opts lo = { .url = url, .events = &events, .arg = &server };
	struct ct_dialer *dialers[DIALERS];
	struct ct_listener *listener;
	struct ct_net_stats st;
	struct ct_net *net;
	const char *why;

	atomic_store(&left, messages);
	ct_latch_init(&over, 1);
	CT_CHECK(ct_timers_new(NULL, &o.timers) == CT_OK);
	CT_CHECK(ct_net_new(&o, &net) == CT_OK);
	CT_CHECK(ct_listener_new(net, &lo, &listener, &why) == CT_OK);
	for (int i = 0; i < DIALERS; i++) {
		const struct ct_dialer_opts d = { .url = ct_listener_url(listener),
						  .events = &events,
						  .arg = &client };

		CT_CHECK(ct_dialer_new(net, &d, &dialers[i], &why) == CT_OK);
	}
	expect(ct_latch_wait_until(&over, ct_deadline_after_ms(ct_clock_system(), WAIT_MS)),
	       "all messages were exchanged in time");
	for (int i = 0; i < DIALERS; i++) /* half of them with the server still there */
		if (i % 2 == 0)
			dialers[i] = ct_dialer_free(dialers[i]);
	listener = ct_listener_free(listener);
	for (int i = 0; i < DIALERS; i++)
		dialers[i] = ct_dialer_free(dialers[i]);
	ct_net_stats(net, &st);
	net = ct_net_free(net);
	o.timers = ct_timers_free(o.timers);
	ct_latch_fini(&over);
	printf("%s: %llu messages in %llu sends and %llu receives\n", url,
	       (unsigned long long)st.msgs_out, (unsigned long long)st.sends,
	       (unsigned long long)st.receives);
	expect(st.bad_frame == 0 && st.too_big == 0, "no frame was taken for a bad one");
}

/* ---- speed ---------------------------------------------------------------------- */

enum { ECHO_BODY = 128 };

static void echo_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	(void)arg;
	(void)c;
	*ret_user = NULL;
}

static void echo_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	(void)user;
	for (size_t i = 0; i < n; i++) {
		const struct ct_bytes parts[3] = { msgs[i].body, CT_BYTES_NONE, CT_BYTES_NONE };

		(void)!ct_conn_send(c, &msgs[i].route, parts);
	}
}

static void echo_closed(struct ct_conn *c, void *user, ct_status why)
{
	(void)c;
	(void)user;
	(void)why;
}

static const struct ct_conn_events echo_events = { echo_opened, echo_batch, echo_closed };

/* The other process: listens, tells where, echoes until it is killed. */
_Noreturn static void echo_server(int tell_fd)
{
	struct ct_net_opts o = { 0 };
	struct ct_listener_opts lo = { .url = "tcp://127.0.0.1:0", .events = &echo_events };
	struct ct_listener *l;
	struct ct_net *net;
	const char *why;
	char url[64] = { 0 };

	CT_CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	CT_CHECK(ct_timers_new(NULL, &o.timers) == CT_OK);
	CT_CHECK(ct_net_new(&o, &net) == CT_OK);
	CT_CHECK(ct_listener_new(net, &lo, &l, &why) == CT_OK);
	snprintf(url, sizeof(url), "%s", ct_listener_url(l));
	CT_CHECK(write(tell_fd, url, sizeof(url)) == sizeof(url));
	for (;;)
		pause();
}

struct run {
	unsigned window;
	_Atomic uint64_t done;
	_Atomic bool stop;
	struct ct_latch stopped;
};

static void run_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct run *r = arg;

	*ret_user = r;
	for (unsigned i = 0; i < r->window; i++) {
		const struct ct_sp_route route = { .words = { UINT32_C(0x80000000) | i }, .n = 1 };
		const struct ct_bytes parts[3] = { ct_bytes_of(filler, ECHO_BODY), CT_BYTES_NONE,
						   CT_BYTES_NONE };

		CT_CHECK(ct_conn_send(c, &route, parts) == CT_OK);
	}
}

static void run_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs, size_t n)
{
	struct run *r = user;

	atomic_fetch_add(&r->done, n);
	if (!atomic_load(&r->stop))
		echo_batch(c, NULL, msgs, n);
}

static void run_closed(struct ct_conn *c, void *user, ct_status why)
{
	struct run *r = user;

	(void)c;
	(void)why;
	ct_latch_count_down(&r->stopped);
}

static const struct ct_conn_events run_events = { run_opened, run_batch, run_closed };

static void measure(const char *url, unsigned window, unsigned seconds)
{
	struct run r = { .window = window };
	struct ct_net_opts o = { 0 };
	struct ct_dialer_opts d = { .url = url, .events = &run_events, .arg = &r };
	struct ct_dialer *dialer;
	struct ct_net_stats st;
	struct ct_net *net;
	struct ct_latch never;
	const char *why;
	uint64_t allocs;

	ct_latch_init(&r.stopped, 1);
	ct_latch_init(&never, 1);
	CT_CHECK(ct_timers_new(NULL, &o.timers) == CT_OK);
	CT_CHECK(ct_net_new(&o, &net) == CT_OK);
	CT_CHECK(ct_dialer_new(net, &d, &dialer, &why) == CT_OK);
	allocs = ct_mem_count();
	(void)!ct_latch_wait_until(&never, ct_deadline_after_ms(ct_clock_system(), seconds * 1000));
	atomic_store(&r.stop, true);
	allocs = ct_mem_count() - allocs;
	ct_net_stats(net, &st);
	printf("%4u outstanding: %8llu msgs/s, %.1f a send, %.1f a receive, %llu allocations\n",
	       window, (unsigned long long)(atomic_load(&r.done) / seconds),
	       (double)st.msgs_out / (double)st.sends, (double)st.msgs_in / (double)st.receives,
	       (unsigned long long)allocs);
	dialer = ct_dialer_free(dialer);
	net = ct_net_free(net);
	o.timers = ct_timers_free(o.timers);
	ct_latch_fini(&r.stopped);
	ct_latch_fini(&never);
}

static int speed(unsigned seconds)
{
	static const unsigned windows[] = { 1, 16, 64, 256 };
	char url[64];
	int tell[2];
	pid_t pid;

	CT_CHECK(pipe(tell) == 0);
	pid = fork(); /* before nng is used: it cannot be forked */
	CT_CHECK(pid >= 0);
	if (pid == 0)
		echo_server(tell[1]);
	CT_CHECK(read(tell[0], url, sizeof(url)) == sizeof(url));
	for (size_t i = 0; i < CT_ARRAY_N(windows); i++)
		measure(url, windows[i], seconds);
	CT_CHECK(kill(pid, SIGKILL) == 0);
	CT_CHECK(waitpid(pid, NULL, 0) == pid);
	return 0;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/stress-net-XXXXXX", url[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "speed") == 0)
		return speed(argc > 2 ? (unsigned)atoi(argv[2]) : 2);
	CT_CHECK(mkdtemp(dir) != NULL);
	snprintf(url, sizeof(url), "ipc://%s/s", dir);
	storm("tcp://127.0.0.1:0", 400000);
	storm(url, 400000);
	CT_CHECK(rmdir(dir) == 0);
	report("server", &server);
	report("client", &client);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
