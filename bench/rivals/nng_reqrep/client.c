/* SPDX-License-Identifier: Apache-2.0 */
/* Stock nng: a REQ socket for each connection, a context and an aio for each call in flight. */
#include "load/load_main.h"

#include "echo.pb-c.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEADLINE_EXCEEDED = 4, INTERNAL = 13, UNAVAILABLE = 14 };

struct target {
	const struct load_target_opts *opts;
	nng_socket *sockets; /* opts->connections of them */
	Bench__Echo req;
};

struct slot {
	struct target *target;
	struct load_call *call;
	nng_ctx ctx;
	nng_aio *aio;
	enum { SENDING, RECEIVING } state;
};

static int status_of(int rv)
{
	return rv == NNG_ETIMEDOUT ? DEADLINE_EXCEEDED : UNAVAILABLE;
}

static int take_reply(const struct target *t, nng_msg *msg)
{
	Bench__Echo *resp = bench__echo__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
	int status = INTERNAL;

	if (resp != NULL && resp->payload.len == t->opts->payload_bytes)
		status = 0;
	bench__echo__free_unpacked(resp, NULL);
	nng_msg_free(msg);
	return status;
}

static void on_aio(void *arg)
{
	struct slot *slot = arg;
	const int rv = nng_aio_result(slot->aio);

	if (slot->state == SENDING) {
		if (rv != 0) {
			nng_msg_free(nng_aio_get_msg(slot->aio));
			load_call_ended(slot->call, status_of(rv));
			return;
		}
		slot->state = RECEIVING;
		nng_ctx_recv(slot->ctx, slot->aio);
		return;
	}
	load_call_ended(slot->call, rv != 0 ? status_of(rv)
					    : take_reply(slot->target, nng_aio_get_msg(slot->aio)));
}

static void start(void *target, struct load_call *call)
{
	struct target *t = target;
	struct slot *slot = call->user;
	nng_msg *msg;

	if (nng_msg_alloc(&msg, bench__echo__get_packed_size(&t->req)) != 0) {
		load_call_ended(call, INTERNAL);
		return;
	}
	bench__echo__pack(&t->req, nng_msg_body(msg));
	nng_aio_set_msg(slot->aio, msg);
	slot->state = SENDING;
	nng_ctx_send(slot->ctx, slot->aio);
}

static bool prepare(void *target, struct load_call *call)
{
	struct target *t = target;
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL)
		return false;
	slot->target = t;
	slot->call = call;
	call->user = slot;
	if (nng_ctx_open(&slot->ctx, t->sockets[call->connection]) != 0 ||
	    nng_aio_alloc(&slot->aio, on_aio, slot) != 0)
		return false;
	nng_aio_set_timeout(slot->aio, (nng_duration)t->opts->timeout_ms);
	return true;
}

static bool dial(nng_socket *s, const char *url)
{
	return nng_req0_open(s) == 0 &&
	       /* Otherwise a slow call would be sent a second time. */
	       nng_socket_set_ms(*s, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) == 0 &&
	       nng_dial(*s, url, NULL, 0) == 0;
}

static void *open_target(const struct load_target_opts *opts, const char **ret_why)
{
	struct target *t = calloc(1, sizeof(*t));
	uint8_t *payload = calloc(1, opts->payload_bytes + 1);
	nng_socket *sockets = calloc(opts->connections, sizeof(*sockets));

	if (t == NULL || payload == NULL || sockets == NULL) {
		*ret_why = "no memory";
		return NULL;
	}
	*t = (struct target){ .opts = opts, .sockets = sockets };
	bench__echo__init(&t->req);
	t->req.payload = (ProtobufCBinaryData){ .len = opts->payload_bytes, .data = payload };
	for (uint32_t i = 0; i < opts->connections; i++) {
		if (!dial(&sockets[i], opts->url)) {
			*ret_why = "nng cannot connect";
			return NULL;
		}
	}
	return t;
}

/* The process ends with its result; nng_close() may wait for ever on this nng. */
static void close_target(void *target)
{
	(void)target;
}

int main(int argc, char **argv)
{
	static const struct load_driver driver = {
		.name = "nng_reqrep",
		.open = open_target,
		.prepare = prepare,
		.start = start,
		.close = close_target,
	};

	return load_main(argc, argv, &driver);
}
