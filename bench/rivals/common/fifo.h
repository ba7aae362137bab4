/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_COMMON_FIFO_H
#define BENCH_RIVALS_COMMON_FIFO_H

#include "load/load.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * The calls in flight on one connection of a bare echo. Replies come in the order of the
 * requests and all frames have one size, so that counting bytes is enough to tell them apart.
 */
struct fifo {
	struct load_call **calls; /* a ring */
	size_t max;
	size_t head;    /* the receiving thread's */
	size_t tail;    /* under the connection's lock */
	size_t frame;   /* bytes of one frame: its length, 4 bytes, and the payload */
	size_t partial; /* bytes of the head's reply that have come */
};

static inline bool fifo_init(struct fifo *f, size_t calls_max, size_t payload)
{
	*f = (struct fifo){ .max = calls_max, .frame = 4 + payload };
	f->calls = calloc(calls_max, sizeof(*f->calls));
	return f->calls != NULL;
}

static inline void fifo_push(struct fifo *f, struct load_call *call)
{
	f->calls[f->tail++ % f->max] = call;
}

/* How many calls n more bytes end; with the lock held, so that those pushed are seen. */
static inline size_t fifo_arrived(struct fifo *f, size_t n)
{
	const size_t bytes = f->partial + n;

	f->partial = bytes % f->frame;
	return bytes / f->frame;
}

/* Without the lock: none of these is pushed again before it is taken. */
static inline struct load_call *fifo_take(struct fifo *f)
{
	return f->calls[f->head++ % f->max];
}

/* A request: its length in network order and that many bytes. */
static inline void fifo_frame(const struct fifo *f, uint8_t *to)
{
	const size_t payload = f->frame - 4;

	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(payload >> (24 - 8 * i));
	memset(to + 4, 'x', payload);
}

#endif
