/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_SOCKETS_H
#define CT_TESTS_SOCKETS_H

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * Blocking sockets with a time limit. A process that was stopped and goes on finds its
 * waits of that kind interrupted, with or without a handler; these go on as well.
 */

/* As connect(), for at most so long once it was interrupted. */
static inline int sock_connect(int fd, const struct sockaddr *sa, socklen_t len, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int err = 0, rv = connect(fd, sa, len);

	if (rv == 0 || errno != EINTR)
		return rv;
	do {
		rv = poll(&p, 1, ms);
	} while (rv < 0 && errno == EINTR);
	CT_CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0);
	errno = rv == 1 ? err : ETIMEDOUT;
	return rv == 1 && err == 0 ? 0 : -1;
}

static inline int sock_accept(int fd)
{
	int peer;

	do {
		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	} while (peer < 0 && errno == EINTR);
	return peer;
}

/* As recv(): what is there, at least one byte. */
static inline ssize_t sock_recv(int fd, void *ptr, size_t len)
{
	ssize_t n;

	do {
		n = recv(fd, ptr, len, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* All of it. False: it ended before, or took too long. */
static inline bool sock_recv_all(int fd, void *ptr, size_t len)
{
	char *bytes = ptr;

	while (len > 0) {
		const ssize_t n = sock_recv(fd, bytes, len);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static inline bool sock_send_all(int fd, const void *ptr, size_t len)
{
	const char *bytes = ptr;

	while (len > 0) {
		const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

#endif
