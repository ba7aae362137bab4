/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that talk and are closed at random from both sides. Checks what the
 * contract promises: events of a connection never overlap, none comes after
 * `closed`, every `opened` has its `closed`, and the counters agree.
 * It also prints how fast echo over tcp is between two processes; "speed" does
 * that alone, for longer and for more loads.
 */
#include "base/check.h"
#include "base/id.h"
#include "base/mem.h"
#include "conc/latch.h"
#include "net/net.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIALERS = 12, CROWD = 800, BODY_MAX = 3000, BURST_MAX = 24, WAIT_MS = 60000 };

static unsigned passed, failed;

static void expect(bool ok, const char *what)
{
	printf("%s: %s\n", ok ? "ok" : "FAILED", what);
	passed += ok ? 1 : 0;
	failed += ok ? 0 : 1;
}

/* ---- storm ---------------------------------------------------------------------- */

struct side {
	_Atomic uint64_t opened, closed, batches, msgs, sent, overlaps, late;
	bool client;
};

/* One connection, to see what its events may not do to each other. */
struct user {
	struct side *side;
	_Atomic int inside;
	bool closed;
};

static struct side server = { .client = false }, client = { .client = true };
static _Atomic int64_t left; /* messages until it is over */
static struct ct_latch over;
static uint8_t filler[BODY_MAX];

static void enter(struct user *u)
{
	if (atomic_fetch_add(&u->inside, 1) != 0)
		atomic_fetch_add(&u->side->overlaps, 1);
	if (u->closed)
		atomic_fetch_add(&u->side->late, 1);
}

static void leave(struct user *u)
{
	atomic_fetch_sub(&u->inside, 1);
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
	enter(u);
	atomic_fetch_add(&u->side->opened, 1);
	*ret_user = u;
	if (u->side->client)
		send_burst(c, u->side);
	leave(u);
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

	enter(u);
	atomic_fetch_add(&u->side->batches, 1);
	atomic_fetch_add(&u->side->msgs, n);
	for (size_t i = 0; i < n; i++) {
		send_one(c, u->side, msgs[i].route, msgs[i].body.len);
		maybe_end(c);
	}
	leave(u);
	if (atomic_fetch_sub(&left, (int64_t)n) > 0 && atomic_load(&left) <= 0)
		ct_latch_count_down(&over);
}

static void closed(struct ct_conn *c, void *user, ct_status why)
{
	struct user *u = user;

	(void)c;
	(void)why;
	enter(u);
	u->closed = true;
	atomic_fetch_add(&u->side->closed, 1);
	leave(u);
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
	struct ct_net_opts o = { .backoff_min_ms = 1, .backoff_max_ms = 8 };
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

/* ---- crowd: many connections at once, one message each ------------------------- */

static void crowd_server_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	struct user *u = ct_mem_zalloc(1, sizeof(*u));

	(void)c;
	CT_CHECK(u != NULL);
	u->side = arg;
	atomic_fetch_add(&u->side->opened, 1);
	*ret_user = u;
}

static void crowd_client_opened(void *arg, struct ct_conn *c, void **ret_user)
{
	crowd_server_opened(arg, c, ret_user);
	send_one(c, &client, (struct ct_sp_route){ .words = { 0x80000000 }, .n = 1 }, 100);
}

static void crowd_server_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs,
			       size_t n)
{
	struct user *u = user;

	for (size_t i = 0; i < n; i++)
		send_one(c, u->side, msgs[i].route, msgs[i].body.len);
}

static void crowd_client_batch(struct ct_conn *c, void *user, const struct ct_net_msg *msgs,
			       size_t n)
{
	(void)c;
	(void)user;
	(void)msgs;
	CT_CHECK(n == 1);
	ct_latch_count_down(&over);
}

static const struct ct_conn_events crowd_server = { crowd_server_opened, crowd_server_batch,
						    closed };
static const struct ct_conn_events crowd_client = { crowd_client_opened, crowd_client_batch,
						    closed };

static void crowd(void)
{
	static struct ct_dialer *dialers[CROWD];
	struct ct_net_opts o = { .handshake_ms = WAIT_MS };
	struct ct_listener_opts lo = { .url = "tcp://127.0.0.1:0",
				       .events = &crowd_server,
				       .arg = &server };
	struct ct_listener *listener;
	struct ct_net_stats st;
	struct rlimit files;
	struct ct_net *net;
	const char *why;

	CT_CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CT_CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	ct_latch_init(&over, CROWD);
	CT_CHECK(ct_timers_new(NULL, &o.timers) == CT_OK);
	CT_CHECK(ct_net_new(&o, &net) == CT_OK);
	CT_CHECK(ct_listener_new(net, &lo, &listener, &why) == CT_OK);
	for (int i = 0; i < CROWD; i++) {
		const struct ct_dialer_opts d = { .url = ct_listener_url(listener),
						  .events = &crowd_client,
						  .arg = &client };

		CT_CHECK(ct_dialer_new(net, &d, &dialers[i], &why) == CT_OK);
	}
	expect(ct_latch_wait_until(&over, ct_deadline_after_ms(ct_clock_system(), WAIT_MS)),
	       "everybody in the crowd got an answer");
	ct_net_stats(net, &st);
	expect(st.connections >= 2 * CROWD, "all of the crowd was connected at once");
	listener = ct_listener_free(listener);
	for (int i = 0; i < CROWD; i++)
		dialers[i] = ct_dialer_free(dialers[i]);
	net = ct_net_free(net);
	o.timers = ct_timers_free(o.timers);
	ct_latch_fini(&over);
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
	expect(atomic_load(&r.done) > 0, "messages were echoed");
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

/* Forks, so it comes before anything of this process uses nng. */
static void speed(const unsigned *windows, size_t n, unsigned seconds)
{
	char url[64];
	int tell[2];
	pid_t pid;

	CT_CHECK(pipe(tell) == 0);
	pid = fork();
	CT_CHECK(pid >= 0);
	if (pid == 0)
		echo_server(tell[1]);
	CT_CHECK(read(tell[0], url, sizeof(url)) == sizeof(url));
	for (size_t i = 0; i < n; i++)
		measure(url, windows[i], seconds);
	CT_CHECK(kill(pid, SIGKILL) == 0);
	CT_CHECK(waitpid(pid, NULL, 0) == pid);
	close(tell[0]);
	close(tell[1]);
}

int main(int argc, char **argv)
{
	static const unsigned windows[] = { 64, 256, 1, 16 };
	char dir[] = "/tmp/stress-net-XXXXXX", url[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "speed") == 0) {
		speed(windows, CT_ARRAY_N(windows), 3);
		return 0;
	}
	speed(windows, 2, 1);
	CT_CHECK(mkdtemp(dir) != NULL);
	snprintf(url, sizeof(url), "ipc://%s/s", dir);
	storm("tcp://127.0.0.1:0", 400000);
	storm(url, 400000);
	crowd();
	CT_CHECK(rmdir(dir) == 0);
	report("server", &server);
	report("client", &client);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
