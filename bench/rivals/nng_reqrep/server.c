/* SPDX-License-Identifier: Apache-2.0 */
/* Stock nng: one REP socket, CONTEXTS contexts with an aio each. The handler runs where nng
 * delivers the message, on its task threads. */
#include "rivals/common/server.h"

#include "echo.pb-c.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* As many as the asynchronous example of nng's documentation has. */
enum { CONTEXTS = 128 };

struct work {
	nng_ctx ctx;
	nng_aio *aio;
	enum { RECEIVING, SENDING } state;
};

static struct work works[CONTEXTS];

static void must(int rv, const char *what)
{
	if (rv == 0)
		return;
	fprintf(stderr, "nng_reqrep-server: %s: %s\n", what, nng_strerror(rv));
	exit(1);
}

/* The reply takes the place of the request in its message. */
static bool handle(nng_msg *msg)
{
	Bench__Echo resp = BENCH__ECHO__INIT;
	Bench__Echo *req = bench__echo__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));

	if (req == NULL)
		return false;
	resp.payload = req->payload;
	must(nng_msg_realloc(msg, bench__echo__get_packed_size(&resp)), "nng_msg_realloc");
	bench__echo__pack(&resp, nng_msg_body(msg));
	bench__echo__free_unpacked(req, NULL);
	return true;
}

static void receive(struct work *w)
{
	w->state = RECEIVING;
	nng_ctx_recv(w->ctx, w->aio);
}

static void on_aio(void *arg)
{
	struct work *w = arg;
	const int rv = nng_aio_result(w->aio);
	nng_msg *msg;

	if (rv == NNG_ECLOSED)
		return;
	if (w->state == SENDING) {
		if (rv != 0)
			nng_msg_free(nng_aio_get_msg(w->aio));
		receive(w);
		return;
	}
	must(rv, "nng_ctx_recv");
	msg = nng_aio_get_msg(w->aio);
	if (!handle(msg)) {
		nng_msg_free(msg);
		receive(w);
		return;
	}
	nng_aio_set_msg(w->aio, msg);
	w->state = SENDING;
	nng_ctx_send(w->ctx, w->aio);
}

int main(int argc, char **argv)
{
	struct rival_args args;
	nng_socket s;

	if (!rival_begin(argc, argv, &args))
		return 2;
	must(nng_rep0_open(&s), "nng_rep0_open");
	for (int i = 0; i < CONTEXTS; i++) {
		must(nng_ctx_open(&works[i].ctx, s), "nng_ctx_open");
		must(nng_aio_alloc(&works[i].aio, on_aio, &works[i]), "nng_aio_alloc");
	}
	must(nng_listen(s, args.url, NULL, 0), args.url);
	for (int i = 0; i < CONTEXTS; i++)
		receive(&works[i]);
	rival_wait();
	_exit(0); /* nng_close() may wait for ever for a peer that left with calls in flight */
}
