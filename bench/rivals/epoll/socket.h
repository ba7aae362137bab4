/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_EPOLL_SOCKET_H
#define BENCH_RIVALS_EPOLL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stream sockets for tcp://address:port and ipc:///path, TCP_NODELAY set; all use of them
 * says MSG_DONTWAIT.
 * -1: errno says why, EINVAL for a URL of another form. */
int socket_listen(const char *url);
int socket_connect(const char *url);
int socket_accept(int listener);

/* Bytes that wait to be sent. Not thread-safe. */
struct backlog {
	uint8_t *data;
	size_t max, from, to;
};

bool backlog_init(struct backlog *b, size_t max);
/* Where n more bytes go; NULL: they do not fit. */
uint8_t *backlog_add(struct backlog *b, size_t n);
/* Reads what fits and the socket has. False: the connection is lost. */
bool backlog_recv(struct backlog *b, int fd);
/* Sends what the socket takes. False: the connection is lost. */
bool backlog_send(struct backlog *b, int fd);
static inline bool backlog_empty(const struct backlog *b)
{
	return b->from == b->to;
}

#endif
