/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: one thread, what a socket has is read at once and written back at once. */
#include "rivals/common/server.h"
#include "rivals/epoll/socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BYTES = 1024 * 1024, EVENTS = 64 };

struct peer {
	int fd;
	uint32_t watched; /* events */
	struct backlog out;
};

static int poller, listener;

static void die(const char *what)
{
	fprintf(stderr, "epoll-server: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A peer that does not take what is there for it is not read from for ever. */
static void watch(struct peer *p, int op)
{
	struct epoll_event ev = { .data.ptr = p };

	if (p->out.to - p->out.from < p->out.max)
		ev.events |= EPOLLIN;
	if (!backlog_empty(&p->out))
		ev.events |= EPOLLOUT;
	if (ev.events != p->watched && epoll_ctl(poller, op, p->fd, &ev) != 0)
		die("epoll_ctl");
	p->watched = ev.events;
}

static void add_peer(void)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL || !backlog_init(&p->out, BYTES))
		die("calloc");
	p->fd = socket_accept(listener);
	if (p->fd < 0)
		die("accept");
	watch(p, EPOLL_CTL_ADD);
}

static void drop_peer(struct peer *p)
{
	close(p->fd);
	free(p->out.data);
	free(p);
}

static void serve_peer(struct peer *p)
{
	if (backlog_recv(&p->out, p->fd) && backlog_send(&p->out, p->fd))
		watch(p, EPOLL_CTL_MOD);
	else
		drop_peer(p);
}

static void *serve(void *arg)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		const int n = epoll_wait(poller, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				add_peer();
			else
				serve_peer(events[i].data.ptr);
		}
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct rival_args args;
	pthread_t thread;

	if (!rival_begin(argc, argv, &args))
		return 2;
	poller = epoll_create1(EPOLL_CLOEXEC);
	listener = socket_listen(args.url);
	if (listener < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &ev) != 0)
		die(args.url);
	if (pthread_create(&thread, NULL, serve, NULL) != 0)
		die("pthread_create");
	rival_wait();
	return 0;
}
