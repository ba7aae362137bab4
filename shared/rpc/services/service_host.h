/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_SERVICE_HOST_H
#define CT_RPC_SERVICES_SERVICE_HOST_H

#include "rpc/client.h"
#include "rpc/server.h"
#include "rpc/services/service_conf.h"

/*
 * What carries a service: its runtime, a client for each peer of the settings,
 * its server with the standard services (and ct.v1.Probe when the settings say
 * so), and the service's own methods, in the right order at start and at stop.
 * ct_service_main() runs one as a program; a test may run several in one process.
 *
 * Life: new -> (serving) -> free. Any thread for the getters.
 */
struct ct_service_host;

/* Why a service did not start, in words for an operator. */
struct ct_service_why {
	char text[512];
};

/* What a service's hooks are given; valid until free. */
struct ct_service_env {
	const struct ct_runtime *rt;
	struct ct_server *server;
	const void *conf; /* the service's struct, borrowed from whoever made the host */
	struct ct_service_host *host;
};

/* A setting of type uint32_t in a service's struct; path NULL: none. */
struct ct_service_setting {
	const char *path;
	size_t at;
};
#define CT_SERVICE_SETTING(s, f, path)                                                \
	{                                                                             \
		(path), offsetof(s, f) + 0 * sizeof(1 ? &((s *)0)->f : (uint32_t *)0) \
	}

/* A method of ours that waits for one of a peer's, at most timeout_ms of the settings,
 * and keeps back margin_ms to answer its own caller. Those of one method are waited for
 * at once. For --check-config. */
struct ct_service_wait {
	const struct ct_method *method, *on;
	const char *peer; /* in the settings' peers */
	struct ct_service_setting timeout_ms, margin_ms;
};

/* What makes a program a service. Constant. */
struct ct_service {
	const char *name; /* also of its log lines and for its callees */
	const char *version;
	const char *summary;                 /* one line for --help */
	const struct ct_conf_schema *schema; /* of a struct that begins with a ct_service_conf */
	/* Opens what the service needs and registers its methods; before the first
	 * listen. On an error it leaves nothing behind and why says what is wrong. */
	ct_status (*start)(const struct ct_service_env *env, struct ct_service_why *why,
			   void **ret_app);
	/* After every call has ended. Never NULL, app may be. */
	void (*stop)(void *app);
	const struct ct_method *const *methods; /* its own, ends with NULL; NULL: not checked */
	const struct ct_service_wait *waits;
	size_t waits_n;
};

/* Listens when it returns OK. conf and log (NULL: silent) are borrowed until free.
 * The errors of start(), ct_server_listen() and ct_client_new(); why says which. */
CT_MUST_USE ct_status ct_service_host_new(const struct ct_service *svc, const void *conf,
					  struct ct_log *log, struct ct_service_why *why,
					  struct ct_service_host **ret_host);

/* Stops at once what still runs (drain the server first to let it finish), waits
 * for it, releases all. NULL ok; returns NULL. */
struct ct_service_host *ct_service_host_free(struct ct_service_host *h);

struct ct_server *ct_service_host_server(const struct ct_service_host *h);
const struct ct_runtime *ct_service_host_runtime(const struct ct_service_host *h);
void *ct_service_host_app(const struct ct_service_host *h); /* what start() made */

/* The client of a peer; NULL: the settings have none of that name. */
struct ct_client *ct_service_host_peer(const struct ct_service_host *h, const char *name);

void ct_service_why_set(struct ct_service_why *why, const char *fmt, ...) CT_PRINTF(2, 3);

#endif
