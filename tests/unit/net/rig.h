/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_UNIT_NET_RIG_H
#define CT_TESTS_UNIT_NET_RIG_H

#include "conc/lock.h"
#include "net/net.h"

#include <criterion/criterion.h>
#include <stdbool.h>

/*
 * What the tests of net/ share: a net, taps that record the events of connections
 * so that a test can wait for them, and raw sockets that play any kind of peer.
 * Every wait is bounded; running into the bound fails the test.
 */
enum { WAIT_MS = 15000, KEPT_MSGS = 64, KEPT_BODY = 64 };

struct kept_msg {
	struct ct_sp_route route;
	uint8_t body[KEPT_BODY]; /* its first bytes */
	size_t body_len;
	bool too_big;
};

/* The arg of endpoints. One tap may serve many connections. */
struct tap {
	/* fixed before use */
	bool echo;         /* batch() sends every message back */
	unsigned close_at; /* the batch() that brings this message closes; 0: none */
	unsigned burst;    /* opened() sends so many empty messages */
	const char *say;   /* opened() sends this */

	struct ct_lock lock; /* rank APP; protects everything below */
	struct ct_cond changed;
	unsigned opened, closed, batches, msgs, failed;
	unsigned late; /* batches after the one that closed */
	uint64_t body_bytes;
	ct_status why;        /* of the last closed, or failed */
	uint32_t next_ms;     /* of the last failed */
	struct ct_conn *conn; /* the last opened, with a reference */
	struct kept_msg kept[KEPT_MSGS];
};

extern const struct ct_conn_events tap_events;

void tap_init(struct tap *t);
void tap_fini(struct tap *t);
/* Until *count, a field of t, is at least n. */
void tap_wait(struct tap *t, const unsigned *count, unsigned n);
bool tap_waited(struct tap *t, const unsigned *count, unsigned n, uint32_t ms);
unsigned tap_get(struct tap *t, const unsigned *count);
/* The last opened connection with a reference of the caller's own. */
struct ct_conn *tap_conn(struct tap *t);
void tap_failed(void *arg, ct_status why, uint32_t next_ms);

struct rig {
	struct ct_net_opts opts;
	struct ct_net *net;
	char dir[64]; /* "" until rig_ipc_url() */
};

/* opts->timers is made here. NULL: all defaults, but quick reconnects. */
void rig_init(struct rig *r, const struct ct_net_opts *opts);
/* By that clock; NULL: the system's. */
void rig_init_by(struct rig *r, const struct ct_net_opts *opts, const struct ct_clock *clk);
void rig_fini(struct rig *r);
/* "ipc://<a directory of the rig's own>/s" */
void rig_ipc_url(struct rig *r, char out[128]);
struct ct_listener *rig_listen(struct rig *r, const char *url, struct tap *t);
struct ct_dialer *rig_dial(struct rig *r, const char *url, struct tap *t);
struct ct_net_stats rig_stats(struct rig *r);

ct_status send_text(struct ct_conn *c, uint32_t id, const char *text);
ct_status send_zeros(struct ct_conn *c, uint32_t id, size_t len);

/* Until the fact holds; for facts that nothing announces. */
bool eventually(bool (*fact)(void *arg), void *arg);

/* ---- raw sockets: -1 never comes back, a failure fails the test ------------------ */

int raw_connect(const char *url);
int raw_listen(const char *url, int backlog); /* tcp://127.0.0.1:0 or ipc */
void raw_url(int listen_fd, char out[128]);   /* of a tcp one */
int raw_accept(int listen_fd);
void raw_write(int fd, const void *ptr, size_t len);
void raw_read(int fd, void *ptr, size_t len); /* exactly len */
/* The peer closes or resets; what it sends before is thrown away. */
void raw_read_to_end(int fd);
void raw_say_hello(int fd, enum ct_sp_protocol self);
void raw_read_hello(int fd, enum ct_sp_protocol peer);
/* One message of a single hop. */
size_t raw_message(uint8_t *out, uint32_t id, const char *body, bool ipc);
void raw_reset(int fd); /* closes with RST */

/* A listener and a dialer of one net, connected over tcp. */
struct pair {
	struct rig r;
	struct tap server, client;
	struct ct_listener *l;
	struct ct_dialer *d;
	struct ct_conn *c; /* the client's, with a reference */
};

void pair_init(struct pair *p);
void pair_fini(struct pair *p);

#endif
