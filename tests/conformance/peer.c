/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/peer.h"

#include "base/check.h"
#include "base/mem.h"

#include "conform/v1/conform.ct.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 1, QUEUE_MAX = 8, REPLY_BYTES_MAX = 1 << 20 };

struct peer {
	struct ct_runtime rt;
	struct ct_server *server;
	struct book book;
	uint32_t margin_ms;

	struct ct_lock lock;    /* rank APP; protects next */
	struct ct_client *next; /* to the further hop; one is enough for the cases */
	char *next_url;
};

/* ---- handlers --------------------------------------------------------------------- */

static void reply_bytes(struct ct_call *call, uint32_t n)
{
	Conform__V1__WorkReply resp = CONFORM__V1__WORK_REPLY__INIT;

	n = n < REPLY_BYTES_MAX ? n : REPLY_BYTES_MAX;
	resp.payload.data = ct_arena_alloc(ct_call_arena(call), n + 1);
	CT_CHECK(resp.payload.data != NULL);
	memset(resp.payload.data, 'x', n);
	resp.payload.len = n;
	conform_work_reply(call, &resp);
}

static struct ct_client *client_of(struct peer *p, const char *url)
{
	const struct ct_client_opts opts = { .rt = &p->rt,
					     .peer = "next",
					     .urls = &url,
					     .urls_n = 1,
					     .attempts_max = 1,
					     .reply_margin_us = p->margin_ms * 1000 };
	const char *why;

	ct_lock_acquire(&p->lock);
	if (p->next == NULL) {
		CT_CHECK(ct_client_new(&opts, &p->next, &why) == CT_OK);
		p->next_url = ct_mem_strdup(url);
	}
	CT_CHECK(strcmp(p->next_url, url) == 0);
	ct_lock_release(&p->lock);
	return p->next;
}

struct forwarded {
	struct peer *peer;
	struct ct_call *call;
	const char *key;
};

static void forward_done(void *arg, struct ct_reply *reply)
{
	struct forwarded *f = arg;
	struct ct_call *call = f->call;

	book_leave(&f->peer->book, f->key, ct_call_ctx(call));
	ct_call_add_hop(call, "next", &conform_work_method, reply);
	if (reply->status == CT_OK)
		reply_bytes(call, (uint32_t)conform_work_response(reply)->payload.len);
	else
		ct_call_fail(call, reply->status, "%s", reply->message);
}

static void work(struct ct_call *call, const Conform__V1__WorkRequest *req)
{
	struct peer *p = ct_call_impl(call);
	Conform__V1__WorkRequest rest = *req;
	struct forwarded *f;
	ct_status st;

	book_enter(&p->book, req->key);
	if (req->n_hops == 0) {
		st = book_hold(&p->book, req->key, ct_call_ctx(call));
		book_leave(&p->book, req->key, ct_call_ctx(call));
		if (st == CT_OK)
			reply_bytes(call, req->reply_bytes);
		else
			ct_call_fail(call, st, "stopped");
		return;
	}
	f = ct_arena_alloc(ct_call_arena(call), sizeof(*f));
	CT_CHECK(f != NULL);
	*f = (struct forwarded){ .peer = p, .call = call, .key = req->key };
	rest.n_hops--;
	rest.hops++;
	ct_call_keep(call);
	conform_work_async(client_of(p, req->hops[0]), ct_call_ctx(call), &rest, forward_done, f);
}

static void release(struct ct_call *call, const Conform__V1__ReleaseRequest *req)
{
	Conform__V1__ReleaseReply resp = CONFORM__V1__RELEASE_REPLY__INIT;
	struct peer *p = ct_call_impl(call);

	book_release(&p->book, req->key);
	conform_release_reply(call, &resp);
}

static void seen(struct ct_call *call, const Conform__V1__SeenRequest *req)
{
	Conform__V1__SeenReply resp = CONFORM__V1__SEEN_REPLY__INIT;
	struct peer *p = ct_call_impl(call);
	struct page page;

	book_read(&p->book, req->key, &page);
	resp.entered = page.entered;
	resp.left = page.left;
	resp.reason = (char *)(uintptr_t)ct_cancel_reason_name(page.reason);
	resp.stopped_after_us = page.stopped_after_us;
	conform_seen_reply(call, &resp);
}

/* ---- life ------------------------------------------------------------------------- */

ct_status peer_new(const struct peer_opts *opts, struct peer **ret_peer)
{
	static const struct conform_handlers handlers = { .work = work,
							  .release = release,
							  .seen = seen };
	struct ct_server_opts so = { .version = "test",
				     .workers = WORKERS,
				     .queue_max = QUEUE_MAX,
				     .drain_ms = opts->drain_ms };
	const struct ct_runtime_opts ro = { .service = "conformance" };
	struct peer *p = ct_mem_zalloc(1, sizeof(*p));
	const char *why = "";
	ct_status st;

	CT_CHECK(p != NULL);
	book_init(&p->book);
	ct_lock_init(&p->lock, CT_RANK_APP);
	p->margin_ms = opts->margin_ms;
	CT_CHECK(ct_runtime_init(&p->rt, &ro) == CT_OK);
	so.rt = &p->rt;
	CT_CHECK(ct_server_new(&so, &p->server) == CT_OK);
	CT_CHECK(ct_server_add_standard(p->server) == CT_OK);
	CT_CHECK(conform_register(p->server, &handlers, p) == CT_OK);
	st = ct_server_listen(p->server, opts->listen, &why);
	if (st != CT_OK) {
		fprintf(stderr, "conformance: %s: %s\n", opts->listen, why);
		peer_free(p);
		return st;
	}
	*ret_peer = p;
	return CT_OK;
}

const char *peer_url(const struct peer *p)
{
	return ct_server_url(p->server, 0);
}

void peer_drain(struct peer *p)
{
	ct_server_drain(p->server);
}

struct peer *peer_free(struct peer *p)
{
	ct_server_stop(p->server);
	ct_server_join(p->server);
	p->next = ct_client_free(p->next); /* no handler waits for it any more */
	p->server = ct_server_free(p->server);
	ct_runtime_fini(&p->rt);
	ct_mem_free(p->next_url);
	ct_lock_fini(&p->lock);
	book_fini(&p->book);
	ct_mem_free(p);
	return NULL;
}

int peer_main(char **argv)
{
	const struct peer_opts opts = {
		.listen = argv[0],
		.drain_ms = (uint32_t)strtoul(argv[1], NULL, 10),
		.margin_ms = (uint32_t)strtoul(argv[2], NULL, 10),
	};
	struct peer *p;
	sigset_t drain, leave;
	int sig;

	sigemptyset(&drain);
	sigaddset(&drain, SIGTERM);
	sigemptyset(&leave);
	sigaddset(&leave, SIGINT);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, &drain, NULL) == 0);
	CT_CHECK(pthread_sigmask(SIG_BLOCK, &leave, NULL) == 0);
	if (peer_new(&opts, &p) != CT_OK)
		return 1;
	printf("%s\n", peer_url(p));
	CT_CHECK(fflush(stdout) == 0);
	CT_CHECK(sigwait(&drain, &sig) == 0);
	peer_drain(p);
	ct_server_join(p->server);
	CT_CHECK(sigwait(&leave, &sig) == 0); /* the harness has read the counters */
	peer_free(p);
	return 0;
}
