/* SPDX-License-Identifier: Apache-2.0 */
/* A bare echo on nng's byte streams: what comes goes back, all at once. */
#include "rivals/common/server.h"
#include "rivals/nng_stream/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the clients keep in flight: 1,024 frames of 32 KiB. */
enum { SEND_MAX = 40 * 1024 * 1024 };

static nng_stream_listener *listener;
static nng_aio *accepting;

static void must(int rv, const char *what)
{
	if (rv == 0)
		return;
	fprintf(stderr, "nng_stream-server: %s: %s\n", what, nng_strerror(rv));
	exit(1);
}

static void echo(void *arg, struct link *l, const uint8_t *bytes, size_t n)
{
	uint8_t *to = link_begin(l, n);

	(void)arg;
	if (to == NULL)
		return;
	memcpy(to, bytes, n);
	link_end(l, n);
}

static void on_accept(void *arg)
{
	static const struct link_opts opts = { .send_max = SEND_MAX, .bytes = echo };
	struct link *l;

	(void)arg;
	if (nng_aio_result(accepting) != 0)
		return;
	l = link_new(nng_aio_get_output(accepting, 0), &opts);
	must(l != NULL ? 0 : NNG_ENOMEM, "link_new");
	link_start(l);
	nng_stream_listener_accept(listener, accepting);
}

int main(int argc, char **argv)
{
	struct rival_args args;

	if (!rival_begin(argc, argv, &args))
		return 2;
	must(nng_aio_alloc(&accepting, on_accept, NULL), "nng_aio_alloc");
	must(nng_stream_listener_alloc(&listener, args.url), args.url);
	must(nng_stream_listener_listen(listener), args.url);
	nng_stream_listener_accept(listener, accepting);
	rival_wait();
	return 0;
}
