/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/service_host.h"

#include "base/check.h"
#include "base/mem.h"
#include "rpc/services/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HOST_TAG = 0x486f7374 };

struct ct_service_host {
	unsigned tag;
	const struct ct_service *svc;
	const struct ct_service_conf *conf;
	struct ct_runtime rt;
	struct ct_server *server;
	struct ct_client **clients; /* one for each entry of conf->peers, in its order */
	size_t clients_n;
	struct ct_probe probe;
	struct ct_service_env env;
	void *app;
	bool started;
};

void ct_service_why_set(struct ct_service_why *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
}

struct ct_client *ct_service_host_peer(const struct ct_service_host *h, const char *name)
{
	for (size_t i = 0; i < h->clients_n; i++)
		if (strcmp(ct_client_peer(h->clients[i]), name) == 0)
			return h->clients[i];
	return NULL;
}

static struct ct_client *probe_find(void *arg, const char *peer)
{
	const struct ct_service_host *h = arg;

	CT_TAG_CHECK(h, HOST_TAG);
	return ct_service_host_peer(h, peer);
}

static ct_status make_runtime(struct ct_service_host *h, struct ct_log *log,
			      struct ct_service_why *why)
{
	const struct ct_runtime_opts opts = {
		.service = h->svc->name,
		.log = log,
		.net = ct_service_net_opts(h->conf),
	};
	const ct_status st = ct_runtime_init(&h->rt, &opts);

	if (st != CT_OK)
		ct_service_why_set(why, "the runtime does not start: %s", ct_status_text(st));
	return st;
}

static ct_status make_clients(struct ct_service_host *h, struct ct_service_why *why)
{
	const struct ct_peer_conf *peers = h->conf->peers.entries;

	h->clients = ct_mem_zalloc(h->conf->peers.n + 1, sizeof(struct ct_client *));
	if (h->clients == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < h->conf->peers.n; i++) {
		const struct ct_client_opts opts = ct_service_client_opts(&peers[i], &h->rt);
		const char *reason = "";
		ct_status st;

		st = ct_client_new(&opts, &h->clients[i], &reason);
		if (st != CT_OK) {
			ct_service_why_set(why, "peers.%s: %s %s", peers[i].name,
					   ct_status_text(st), reason);
			return st;
		}
		h->clients_n++;
	}
	return CT_OK;
}

static ct_status make_server(struct ct_service_host *h, struct ct_service_why *why)
{
	const struct ct_server_opts opts = ct_service_server_opts(h->conf, &h->rt, h->svc->version);
	ct_status st;

	st = ct_server_new(&opts, &h->server);
	if (st == CT_OK)
		st = ct_server_add_standard(h->server);
	if (st == CT_OK && h->conf->probe_enabled)
		st = ct_probe_add(h->server, &h->probe);
	for (size_t i = 0; i < h->clients_n && st == CT_OK; i++)
		st = ct_server_show_client(h->server, h->clients[i]);
	if (st != CT_OK)
		ct_service_why_set(why, "the server cannot be made: %s", ct_status_text(st));
	return st;
}

static ct_status start_service(struct ct_service_host *h, const void *conf,
			       struct ct_service_why *why)
{
	ct_status st;

	h->env = (struct ct_service_env){ &h->rt, h->server, conf, h };
	st = h->svc->start(&h->env, why, &h->app);
	h->started = st == CT_OK;
	return st;
}

static ct_status listen_all(struct ct_service_host *h, struct ct_service_why *why)
{
	const struct ct_conf_strings *urls = &h->conf->server.listen;

	for (size_t i = 0; i < urls->n; i++) {
		const char *reason = "";
		const ct_status st = ct_server_listen(h->server, urls->v[i], &reason);

		if (st != CT_OK) {
			ct_service_why_set(why, "cannot listen on %s: %s %s", urls->v[i],
					   ct_status_text(st), reason != NULL ? reason : "");
			return st;
		}
	}
	return CT_OK;
}

ct_status ct_service_host_new(const struct ct_service *svc, const void *conf, struct ct_log *log,
			      struct ct_service_why *why, struct ct_service_host **ret_host)
{
	struct ct_service_host *h = ct_mem_zalloc(1, sizeof(*h));
	ct_status st;

	ct_service_why_set(why, "out of memory");
	if (h == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(h, HOST_TAG);
	h->svc = svc;
	h->conf = conf; /* its first member */
	h->probe = (struct ct_probe){ probe_find, h };
	st = make_runtime(h, log, why);
	if (st == CT_OK)
		st = make_clients(h, why);
	if (st == CT_OK)
		st = make_server(h, why);
	if (st == CT_OK)
		st = start_service(h, conf, why);
	if (st == CT_OK)
		st = listen_all(h, why);
	if (st != CT_OK) {
		h = ct_service_host_free(h);
		return st;
	}
	*ret_host = h;
	return CT_OK;
}

struct ct_service_host *ct_service_host_free(struct ct_service_host *h)
{
	if (h == NULL)
		return NULL;
	h->server = ct_server_free(h->server); /* every call has ended: nobody uses the rest */
	if (h->started)
		h->svc->stop(h->app);
	for (size_t i = 0; i < h->clients_n; i++)
		h->clients[i] = ct_client_free(h->clients[i]);
	ct_mem_free(h->clients);
	ct_runtime_fini(&h->rt);
	CT_TAG_CLEAR(h);
	ct_mem_free(h);
	return NULL;
}

struct ct_server *ct_service_host_server(const struct ct_service_host *h)
{
	return h->server;
}

const struct ct_runtime *ct_service_host_runtime(const struct ct_service_host *h)
{
	return &h->rt;
}

void *ct_service_host_app(const struct ct_service_host *h)
{
	return h->app;
}
