/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_NNG_STREAM_LINK_H
#define BENCH_RIVALS_NNG_STREAM_LINK_H

#include <nng/nng.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An nng_stream with gathered sends: one send is under way at a time, what is put meanwhile
 * goes with the next one. One receive is always posted. That is all that is between the
 * bare echo and nng.
 */
struct link;

/* What came, on a task thread of nng, one call at a time, no lock held. It may put. */
typedef void link_bytes_fn(void *arg, struct link *l, const uint8_t *bytes, size_t n);
/* Once, after the last link_bytes_fn. */
typedef void link_lost_fn(void *arg);

struct link_opts {
	size_t send_max; /* most bytes that wait to be sent */
	link_bytes_fn *bytes;
	link_lost_fn *lost; /* NULL: nobody cares */
	void *arg;
};

/* Owns the stream from here, also when it fails (NULL: no memory). Lives as long as the
 * process. */
struct link *link_new(nng_stream *stream, const struct link_opts *opts);
void link_start(struct link *l); /* receives from here on */

/* Between these the caller may put n bytes at what link_begin() returns; NULL: no room for
 * them, or the link is lost; then there is no link_end(). */
uint8_t *link_begin(struct link *l, size_t n);
void link_end(struct link *l, size_t n);

void link_lock(struct link *l);
void link_unlock(struct link *l);

#endif
