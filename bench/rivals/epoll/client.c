/* SPDX-License-Identifier: Apache-2.0 */
/* One thread reads all connections. A call that starts there goes with the batch that ended
 * its forerunner; one that starts elsewhere is sent at once. */
#include "load/load_main.h"
#include "rivals/common/fifo.h"
#include "rivals/epoll/socket.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNAVAILABLE = 14, RECV_BYTES = 256 * 1024, EVENTS = 64 };

struct connection {
	int fd, poller;
	pthread_mutex_t lock; /* of everything below */
	struct fifo fifo;
	struct backlog out;
	bool in_batch, watching_out, lost;
};

struct target {
	int poller;
	struct connection *connections;
	uint8_t recv[RECV_BYTES];
};

static void send_locked(struct connection *c)
{
	bool watch;

	if (!backlog_send(&c->out, c->fd))
		c->lost = true; /* the reader finds out, too */
	watch = !c->lost && !backlog_empty(&c->out);
	if (watch != c->watching_out) {
		struct epoll_event ev = { .events = EPOLLIN | (watch ? EPOLLOUT : 0U),
					  .data.ptr = c };

		epoll_ctl(c->poller, EPOLL_CTL_MOD, c->fd, &ev);
		c->watching_out = watch;
	}
}

static void start(void *target, struct load_call *call)
{
	struct connection *c = ((struct target *)target)->connections + call->connection;
	uint8_t *to = NULL;

	pthread_mutex_lock(&c->lock);
	if (!c->lost)
		to = backlog_add(&c->out, c->fifo.frame);
	if (to != NULL) {
		fifo_frame(&c->fifo, to);
		fifo_push(&c->fifo, call);
		if (!c->in_batch)
			send_locked(c);
	}
	pthread_mutex_unlock(&c->lock);
	if (to == NULL)
		load_call_ended(call, UNAVAILABLE);
}

/* n bytes came; -1: the connection is lost. */
static void end_calls(struct connection *c, ssize_t n)
{
	size_t calls;

	pthread_mutex_lock(&c->lock);
	c->in_batch = true;
	c->lost = c->lost || n < 0;
	calls = n < 0 ? c->fifo.tail - c->fifo.head : fifo_arrived(&c->fifo, (size_t)n);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < calls; i++)
		load_call_ended(fifo_take(&c->fifo), n < 0 ? UNAVAILABLE : 0);
	pthread_mutex_lock(&c->lock);
	c->in_batch = false;
	send_locked(c);
	pthread_mutex_unlock(&c->lock);
}

static void on_event(struct target *t, struct connection *c, uint32_t events)
{
	ssize_t n = 0;

	if ((events & ~(uint32_t)EPOLLOUT) != 0) {
		n = recv(c->fd, t->recv, sizeof(t->recv), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			epoll_ctl(t->poller, EPOLL_CTL_DEL, c->fd, NULL);
			n = -1;
		} else if (n < 0) {
			n = 0;
		}
	}
	end_calls(c, n);
}

static void *read_all(void *arg)
{
	struct target *t = arg;
	struct epoll_event events[EVENTS];

	for (;;) {
		const int n = epoll_wait(t->poller, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			on_event(t, events[i].data.ptr, events[i].events);
	}
	return NULL;
}

static bool connect_one(struct target *t, struct connection *c, const struct load_target_opts *opts)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->poller = t->poller;
	pthread_mutex_init(&c->lock, NULL);
	if (!fifo_init(&c->fifo, opts->slots, opts->payload_bytes) ||
	    !backlog_init(&c->out, opts->slots * c->fifo.frame))
		return false;
	c->fd = socket_connect(opts->url);
	return c->fd >= 0 && epoll_ctl(t->poller, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

static void *open_target(const struct load_target_opts *opts, const char **ret_why)
{
	struct target *t = calloc(1, sizeof(*t));
	struct connection *connections = calloc(opts->connections, sizeof(*connections));
	pthread_t thread;

	if (t == NULL || connections == NULL) {
		*ret_why = "no memory";
		return NULL;
	}
	t->connections = connections;
	t->poller = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; i < opts->connections; i++) {
		if (!connect_one(t, &connections[i], opts)) {
			*ret_why = "cannot connect";
			return NULL;
		}
	}
	if (pthread_create(&thread, NULL, read_all, t) != 0) {
		*ret_why = "no thread";
		return NULL;
	}
	return t;
}

/* The process ends with its result. */
static void close_target(void *target)
{
	(void)target;
}

int main(int argc, char **argv)
{
	static const struct load_driver driver = {
		.name = "epoll",
		.open = open_target,
		.start = start,
		.close = close_target,
	};

	return load_main(argc, argv, &driver);
}
