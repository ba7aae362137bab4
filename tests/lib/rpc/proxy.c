/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rpc/proxy.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"
#include "net/address.h"
#include "tests/lib/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAIRS_MAX = 8, BUFFER_BYTES = 65536 };

struct pair {
	int client, server; /* -1: closed */
};

struct proxy {
	struct ct_address target;
	char url[CT_ADDRESS_URL_SIZE], path[CT_ADDRESS_PATH_SIZE];
	int listener, wake;
	pthread_t thread;
	struct pair pairs[PAIRS_MAX]; /* the thread's */
	unsigned pairs_n;

	struct ct_lock lock; /* rank APP; protects everything below */
	struct ct_cond done;
	bool held, cut, quit, cut_at_reply;
	unsigned asked, answered; /* orders, and orders carried out */
};

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

static socklen_t fill_addr(union any_addr *a, bool ipc, const char *path, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (ipc) {
		a->un.sun_family = AF_UNIX;
		(void)snprintf(a->un.sun_path, sizeof(a->un.sun_path), "%s", path);
		return sizeof(a->un);
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(port);
	a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(a->in);
}

static int connect_target(const struct proxy *p)
{
	union any_addr a;
	const socklen_t len = fill_addr(&a, p->target.ipc, p->target.path, p->target.port);
	const int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CT_CHECK(fd >= 0);
	if (connect(fd, &a.sa, len) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void close_pair(struct pair *pr)
{
	if (pr->client >= 0)
		(void)close(pr->client);
	if (pr->server >= 0)
		(void)close(pr->server);
	pr->client = pr->server = -1;
}

static void accept_one(struct proxy *p, bool cut)
{
	struct pair pr = { .client = sock_accept(p->listener), .server = -1 };

	if (pr.client < 0)
		return;
	if (!cut && p->pairs_n < PAIRS_MAX)
		pr.server = connect_target(p);
	if (pr.server < 0)
		close_pair(&pr);
	else
		p->pairs[p->pairs_n++] = pr;
}

/* False: one side is gone. */
static bool copy(int from, int to)
{
	static _Thread_local char buf[BUFFER_BYTES];
	const ssize_t n = sock_recv(from, buf, sizeof(buf));

	return n > 0 && sock_send_all(to, buf, (size_t)n);
}

struct orders {
	bool held, cut, cut_at_reply, quit;
	unsigned asked;
};

static struct orders read_orders(struct proxy *p)
{
	struct orders o;

	ct_lock_acquire(&p->lock);
	o = (struct orders){ .held = p->held, .cut = p->cut, .quit = p->quit, .asked = p->asked };
	ct_lock_release(&p->lock);
	return o;
}

static void obey(struct proxy *p, const struct orders *o)
{
	for (unsigned i = 0; i < p->pairs_n && (o->cut || o->quit); i++)
		close_pair(&p->pairs[i]);
	ct_lock_acquire(&p->lock);
	p->answered = o->asked;
	ct_cond_broadcast(&p->done);
	ct_lock_release(&p->lock);
}

/* Whether these bytes are the ones to be dropped. */
static bool take_reply_to_cut(struct proxy *p)
{
	bool mine;

	ct_lock_acquire(&p->lock);
	mine = p->cut_at_reply;
	p->cut_at_reply = false;
	ct_lock_release(&p->lock);
	return mine;
}

static void carry(struct proxy *p, struct pair *pr, bool client_speaks, bool server_speaks)
{
	if ((client_speaks && !copy(pr->client, pr->server)) ||
	    (server_speaks && (take_reply_to_cut(p) || !copy(pr->server, pr->client))))
		close_pair(pr);
}

static void *proxy_main(void *arg)
{
	struct proxy *p = arg;

	for (;;) {
		const struct orders o = read_orders(p);
		struct pollfd fds[2 + 2 * PAIRS_MAX] = {
			{ .fd = p->wake, .events = POLLIN },
			{ .fd = p->listener, .events = POLLIN },
		};
		const unsigned n = p->pairs_n;
		uint64_t ticks;

		obey(p, &o);
		if (o.quit)
			return NULL;
		for (unsigned i = 0; i < n; i++) {
			fds[2 + 2 * i] = (struct pollfd){ .fd = p->pairs[i].client,
							  .events = POLLIN };
			fds[3 + 2 * i] = (struct pollfd){ .fd = o.held ? -1 : p->pairs[i].server,
							  .events = POLLIN };
		}
		CT_CHECK(poll(fds, 2 + 2 * n, -1) > 0 || errno == EINTR);
		if (fds[0].revents != 0) {
			CT_CHECK(read(p->wake, &ticks, sizeof(ticks)) == sizeof(ticks));
			continue; /* orders first */
		}
		for (unsigned i = 0; i < n; i++)
			carry(p, &p->pairs[i], fds[2 + 2 * i].revents != 0,
			      fds[3 + 2 * i].revents != 0);
		if (fds[1].revents != 0)
			accept_one(p, o.cut);
	}
}

static void order(struct proxy *p, struct orders o)
{
	const uint64_t one = 1;
	unsigned mine;

	ct_lock_acquire(&p->lock);
	p->held = o.held;
	p->cut = p->cut || o.cut;
	p->cut_at_reply = o.cut_at_reply;
	p->quit = o.quit;
	mine = ++p->asked;
	CT_CHECK(write(p->wake, &one, sizeof(one)) == sizeof(one));
	while (p->answered < mine)
		ct_cond_wait(&p->done, &p->lock);
	ct_lock_release(&p->lock);
}

static void listen_somewhere(struct proxy *p, const char *dir)
{
	static _Atomic unsigned serial;
	union any_addr a;
	socklen_t len;

	(void)snprintf(p->path, sizeof(p->path), "%s/proxy%u", dir, serial++);
	len = fill_addr(&a, p->target.ipc, p->path, 0);
	p->listener = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CT_CHECK(p->listener >= 0);
	CT_CHECK(bind(p->listener, &a.sa, len) == 0);
	CT_CHECK(listen(p->listener, PAIRS_MAX) == 0);
	CT_CHECK(getsockname(p->listener, &a.sa, &len) == 0);
	if (p->target.ipc)
		(void)snprintf(p->url, sizeof(p->url), "ipc://%s", p->path);
	else
		(void)snprintf(p->url, sizeof(p->url), "tcp://127.0.0.1:%u", ntohs(a.in.sin_port));
}

struct proxy *proxy_new(const char *target_url, const char *dir)
{
	struct proxy *p = ct_mem_zalloc(1, sizeof(*p));
	const char *why;

	CT_CHECK(p != NULL);
	CT_CHECK(ct_address_parse(target_url, &p->target, &why) == CT_OK);
	ct_lock_init(&p->lock, CT_RANK_APP);
	ct_cond_init(&p->done);
	p->wake = eventfd(0, EFD_CLOEXEC);
	CT_CHECK(p->wake >= 0);
	listen_somewhere(p, dir);
	CT_CHECK(ct_thread_start(&p->thread, "proxy", proxy_main, p) == CT_OK);
	return p;
}

const char *proxy_url(const struct proxy *p)
{
	return p->url;
}

void proxy_hold(struct proxy *p)
{
	order(p, (struct orders){ .held = true });
}

void proxy_let_go(struct proxy *p)
{
	order(p, (struct orders){ .held = false });
}

void proxy_cut_at_reply(struct proxy *p)
{
	order(p, (struct orders){ .cut_at_reply = true });
}

void proxy_cut(struct proxy *p)
{
	order(p, (struct orders){ .cut = true });
}

struct proxy *proxy_free(struct proxy *p)
{
	if (p == NULL)
		return NULL;
	order(p, (struct orders){ .quit = true });
	ct_thread_join(p->thread);
	(void)close(p->listener);
	(void)close(p->wake);
	if (p->target.ipc)
		(void)unlink(p->path);
	ct_cond_fini(&p->done);
	ct_lock_fini(&p->lock);
	ct_mem_free(p);
	return NULL;
}
