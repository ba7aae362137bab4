/* SPDX-License-Identifier: Apache-2.0 */
#include "rivals/epoll/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	} at;
	socklen_t len;
};

static bool parse_tcp(const char *hostport, struct address *ret)
{
	const char *colon = strrchr(hostport, ':');
	char host[64];

	if (colon == NULL || (size_t)(colon - hostport) >= sizeof(host))
		return false;
	memcpy(host, hostport, (size_t)(colon - hostport));
	host[colon - hostport] = '\0';
	*ret = (struct address){ .len = sizeof(ret->at.in) };
	ret->at.in.sin_family = AF_INET;
	ret->at.in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	return inet_pton(AF_INET, host, &ret->at.in.sin_addr) == 1;
}

static bool parse(const char *url, struct address *ret)
{
	if (strncmp(url, "tcp://", 6) == 0)
		return parse_tcp(url + 6, ret);
	if (strncmp(url, "ipc://", 6) != 0 || strlen(url + 6) >= sizeof(ret->at.un.sun_path))
		return false;
	*ret = (struct address){ .len = sizeof(ret->at.un) };
	ret->at.un.sun_family = AF_UNIX;
	snprintf(ret->at.un.sun_path, sizeof(ret->at.un.sun_path), "%s", url + 6);
	return true;
}

static int open_for(const char *url, struct address *ret)
{
	if (!parse(url, ret)) {
		errno = EINVAL;
		return -1;
	}
	return socket(ret->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void no_delay(int fd)
{
	/* fails on a unix socket, which has no delay */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

int socket_listen(const char *url)
{
	struct address a;
	const int fd = open_for(url, &a);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, &a.at.any, a.len) == 0 && listen(fd, 128) == 0)
		return fd;
	close(fd);
	return -1;
}

int socket_connect(const char *url)
{
	struct address a;
	const int fd = open_for(url, &a);

	if (fd < 0)
		return -1;
	if (connect(fd, &a.at.any, a.len) != 0) {
		close(fd);
		return -1;
	}
	no_delay(fd);
	return fd;
}

int socket_accept(int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		no_delay(fd);
	return fd;
}

bool backlog_init(struct backlog *b, size_t max)
{
	*b = (struct backlog){ .data = malloc(max), .max = max };
	return b->data != NULL;
}

static void compact(struct backlog *b)
{
	memmove(b->data, b->data + b->from, b->to - b->from);
	b->to -= b->from;
	b->from = 0;
}

uint8_t *backlog_add(struct backlog *b, size_t n)
{
	uint8_t *at;

	if (b->to + n > b->max)
		compact(b);
	if (b->to + n > b->max)
		return NULL;
	at = b->data + b->to;
	b->to += n;
	return at;
}

bool backlog_recv(struct backlog *b, int fd)
{
	ssize_t n;

	if (b->to > b->max / 2)
		compact(b);
	if (b->to == b->max)
		return true;
	n = recv(fd, b->data + b->to, b->max - b->to, MSG_DONTWAIT);
	if (n > 0)
		b->to += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

bool backlog_send(struct backlog *b, int fd)
{
	while (!backlog_empty(b)) {
		const ssize_t n = send(fd, b->data + b->from, b->to - b->from,
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		b->from += (size_t)n;
	}
	b->from = b->to = 0;
	return true;
}
