/* SPDX-License-Identifier: Apache-2.0 */
#include "load/load_main.h"
#include "rivals/common/fifo.h"
#include "rivals/nng_stream/link.h"

enum { RESOURCE_EXHAUSTED = 8, UNAVAILABLE = 14 };

struct connection {
	struct link *link;
	struct fifo fifo;
};

static void replies(void *arg, struct link *l, const uint8_t *bytes, size_t n)
{
	struct connection *c = arg;
	size_t calls;

	(void)bytes;
	link_lock(l);
	calls = fifo_arrived(&c->fifo, n);
	link_unlock(l);
	for (size_t i = 0; i < calls; i++)
		load_call_ended(fifo_take(&c->fifo), 0);
}

static void lost(void *arg)
{
	struct connection *c = arg;
	size_t calls;

	link_lock(c->link);
	calls = c->fifo.tail - c->fifo.head;
	link_unlock(c->link);
	for (size_t i = 0; i < calls; i++)
		load_call_ended(fifo_take(&c->fifo), UNAVAILABLE);
}

static void start(void *target, struct load_call *call)
{
	struct connection *c = (struct connection *)target + call->connection;
	uint8_t *to = link_begin(c->link, c->fifo.frame);

	if (to == NULL) {
		load_call_ended(call, UNAVAILABLE);
		return;
	}
	fifo_push(&c->fifo, call);
	fifo_frame(&c->fifo, to);
	link_end(c->link, c->fifo.frame);
}

static nng_stream *dial(const char *url)
{
	nng_stream_dialer *dialer;
	nng_stream *stream = NULL;
	nng_aio *aio;

	if (nng_aio_alloc(&aio, NULL, NULL) != 0)
		return NULL;
	if (nng_stream_dialer_alloc(&dialer, url) == 0) {
		nng_stream_dialer_dial(dialer, aio);
		nng_aio_wait(aio);
		if (nng_aio_result(aio) == 0)
			stream = nng_aio_get_output(aio, 0);
	}
	nng_aio_free(aio);
	return stream;
}

static bool connect_one(struct connection *c, const struct load_target_opts *opts)
{
	struct link_opts link = { .bytes = replies, .lost = lost, .arg = c };
	nng_stream *stream;

	if (!fifo_init(&c->fifo, opts->slots, opts->payload_bytes))
		return false;
	link.send_max = opts->slots * c->fifo.frame;
	stream = dial(opts->url);
	if (stream == NULL)
		return false;
	c->link = link_new(stream, &link);
	if (c->link == NULL)
		return false;
	link_start(c->link);
	return true;
}

static void *open_target(const struct load_target_opts *opts, const char **ret_why)
{
	struct connection *connections = calloc(opts->connections, sizeof(*connections));

	for (uint32_t i = 0; connections != NULL && i < opts->connections; i++) {
		if (!connect_one(&connections[i], opts)) {
			*ret_why = "nng_stream cannot connect";
			return NULL;
		}
	}
	return connections;
}

/* The process ends with its result. */
static void close_target(void *target)
{
	(void)target;
}

int main(int argc, char **argv)
{
	static const struct load_driver driver = {
		.name = "nng_stream",
		.open = open_target,
		.start = start,
		.close = close_target,
	};

	return load_main(argc, argv, &driver);
}
