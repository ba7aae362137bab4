/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/service_lint.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define US_PER_MS UINT64_C(1000)

enum { MARGIN_SIZE = 160 };

struct lint {
	const struct ct_service *svc;
	const void *conf;
	const struct ct_service_lint_peer *peers;
	size_t peers_n;
	struct ct_conf_report *report;
};

static const struct ct_service_conf *common(const struct lint *l)
{
	return l->conf; /* a service's struct begins with it */
}

/* ---- one method ------------------------------------------------------------------ */

static void check_method(const struct lint *l, const struct ct_method *m)
{
	const uint32_t cap_ms = common(l)->server.max_deadline_ms;

	if (m->timeout_ms == 0)
		ct_conf_report_add(l->report, "%s has no timeout_ms of its own in its .proto",
				   m->name);
	else if (m->timeout_ms > cap_ms)
		ct_conf_report_add(l->report,
				   "%s: its clients allow %" PRIu32 " ms, the server cuts that to "
				   "'server.max_deadline_ms' = %" PRIu32,
				   m->name, m->timeout_ms, cap_ms);
}

/* ---- a method that waits for another ----------------------------------------------- */

static uint32_t setting(const struct lint *l, const struct ct_service_setting *s)
{
	uint32_t v = 0;

	if (s->path != NULL)
		memcpy(&v, (const char *)l->conf + s->at, sizeof(v));
	return v;
}

/* What a call of the peer's method has by itself. */
static uint32_t time_of(const struct ct_service_wait *w, const struct ct_peer_conf *peer)
{
	return w->on->timeout_ms != 0 ? w->on->timeout_ms : peer->timeout_ms;
}

/* What w->method waits at most. */
static uint32_t waited_ms(const struct lint *l, const struct ct_service_wait *w,
			  const struct ct_peer_conf *peer)
{
	const uint32_t own = time_of(w, peer), set = setting(l, &w->timeout_ms);

	return set != 0 && set < own ? set : own;
}

static void check_effect(const struct lint *l, const struct ct_service_wait *w,
			 const struct ct_peer_conf *peer)
{
	const uint32_t own = time_of(w, peer), set = setting(l, &w->timeout_ms);

	if (set > own)
		ct_conf_report_add(l->report,
				   "'%s' is %" PRIu32 ", but a call of %s ends after %" PRIu32
				   " ms",
				   w->timeout_ms.path, set, w->on->name, own);
}

static void check_budget(const struct lint *l, const struct ct_service_wait *w,
			 const struct ct_peer_conf *peer)
{
	const uint32_t wait_ms = waited_ms(l, w, peer), margin_ms = setting(l, &w->margin_ms);
	const uint64_t needs_us = (wait_ms + (uint64_t)margin_ms) * US_PER_MS +
				  peer->reply_margin_us;
	char margin[MARGIN_SIZE] = "";

	if (needs_us <= w->method->timeout_ms * US_PER_MS)
		return;
	if (w->margin_ms.path != NULL)
		(void)snprintf(margin, sizeof(margin), "%" PRIu32 " ms ('%s') + ", margin_ms,
			       w->margin_ms.path);
	ct_conf_report_add(l->report,
			   "%s has %" PRIu32 " ms, its chain needs %" PRIu32
			   " ms for %s + %s%" PRIu32 " us ('peers.%s.reply_margin_us')",
			   w->method->name, w->method->timeout_ms, wait_ms, w->on->name, margin,
			   peer->reply_margin_us, w->peer);
}

static void check_peer(const struct lint *l, const struct ct_service_wait *w,
		       const struct ct_peer_conf *peer)
{
	const uint32_t wait_ms = waited_ms(l, w, peer);

	for (size_t i = 0; i < l->peers_n; i++) {
		const struct ct_service_lint_peer *p = &l->peers[i];
		const uint32_t cap_ms = p->conf->server.max_deadline_ms;

		if (strcmp(p->name, w->peer) == 0 && wait_ms > cap_ms)
			ct_conf_report_add(l->report,
					   "%s waits %" PRIu32 " ms for %s, %s cuts that to "
					   "'server.max_deadline_ms' = %" PRIu32,
					   w->method->name, wait_ms, w->on->name, p->path, cap_ms);
	}
}

void ct_service_lint(const struct ct_service *svc, const void *conf,
		     const struct ct_service_lint_peer *peers, size_t peers_n,
		     struct ct_conf_report *report)
{
	const struct lint l = { svc, conf, peers, peers_n, report };

	for (size_t i = 0; svc->methods != NULL && svc->methods[i] != NULL; i++)
		check_method(&l, svc->methods[i]);
	for (size_t i = 0; i < svc->waits_n; i++) {
		const struct ct_service_wait *w = &svc->waits[i];
		const struct ct_peer_conf *peer = ct_service_conf_peer(common(&l), w->peer);

		if (peer == NULL)
			continue; /* then nobody is called */
		check_effect(&l, w, peer);
		check_budget(&l, w, peer);
		check_peer(&l, w, peer);
	}
}

/* ---- from files -------------------------------------------------------------------- */

/* A peer that is read from a file. */
struct read_peer {
	char *name; /* owned */
	struct ct_service_conf conf;
};

/* "name=path". */
static ct_status read_peer(const struct ct_service_conf *ours, const char *arg,
			   struct read_peer *ret_read, struct ct_service_lint_peer *ret_peer,
			   struct ct_conf_report *report)
{
	const char *eq = strchr(arg, '=');
	char *name = ct_mem_strdup(arg);
	struct ct_conf_source src = { .path = eq != NULL ? eq + 1 : NULL };
	ct_status st = CT_INVALID_ARGUMENT;

	*report = (struct ct_conf_report){ 0 };
	if (name == NULL) {
		ct_conf_report_add(report, "out of memory");
		return CT_RESOURCE_EXHAUSTED;
	}
	name[eq != NULL ? (size_t)(eq - arg) : 0] = '\0';
	if (eq == NULL || ct_service_conf_peer(ours, name) == NULL)
		ct_conf_report_add(
			report, "-p %s: must be NAME=FILE, NAME one of the settings' peers", arg);
	else
		st = ct_conf_load(&ct_service_conf_schema, &src, &ret_read->conf, report);
	if (st != CT_OK) {
		ct_mem_free(name);
		return st;
	}
	ret_read->name = name;
	*ret_peer = (struct ct_service_lint_peer){ name, eq + 1, &ret_read->conf };
	return CT_OK;
}

ct_status ct_service_lint_files(const struct ct_service *svc, const void *conf,
				const char *const *peers, size_t peers_n,
				struct ct_conf_report *ret_report)
{
	struct read_peer *read = ct_mem_zalloc(peers_n + 1, sizeof(*read));
	struct ct_service_lint_peer *list = ct_mem_zalloc(peers_n + 1, sizeof(*list));
	ct_status st = CT_OK;
	size_t n = 0;

	*ret_report = (struct ct_conf_report){ 0 };
	if (read == NULL || list == NULL) {
		ct_conf_report_add(ret_report, "out of memory");
		st = CT_RESOURCE_EXHAUSTED;
		goto out;
	}
	for (; n < peers_n && st == CT_OK; n++)
		st = read_peer(conf, peers[n], &read[n], &list[n], ret_report);
	if (st != CT_OK)
		goto out;
	ct_service_lint(svc, conf, list, n, ret_report);
	if (ret_report->errors_n > 0)
		st = CT_FAILED_PRECONDITION;
out:
	for (size_t i = 0; i < n; i++) {
		ct_conf_fini(&ct_service_conf_schema, &read[i].conf);
		ct_mem_free(read[i].name);
	}
	ct_mem_free(list);
	ct_mem_free(read);
	return st;
}
