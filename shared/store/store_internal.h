/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_STORE_INTERNAL_H
#define CT_STORE_STORE_INTERNAL_H

#include "store/db_internal.h"

#include <pthread.h>

/*
 * store.c opens and closes, writer.c queues and commits, readers.c lends read
 * connections; only for shared/store/.
 *
 *   submit -> queue -> group -> ended          queued + running, then counted once
 *              | ^        |       ^
 *              | +--------+       |   the transaction was lost for another's sake
 *              +-----> dropped ---+   its context tripped, and its place was needed
 */
struct ct_write {
	struct ct_list link; /* idle, queue, dropped or group */
	struct ct_ctx *ctx;  /* a reference, or NULL */
	ct_db_fn *fn;
	void *arg;
	ct_store_done_fn *done;
	void *done_arg;
	ct_status st; /* of its last run */
	char *why;    /* of that; owned; NULL: nothing to say */
	bool ran;     /* at least once */
};

struct ct_store {
	unsigned tag;
	/* fixed after new */
	struct ct_store_opts opts; /* complete; path and migrations are not kept */
	struct ct_db *writer_db;   /* the writer thread's alone */
	struct ct_db **readers;
	uint16_t readers_n;
	struct ct_write *writes; /* all there ever are */
	pthread_t thread;
	bool started;

	struct ct_lock lock;        /* rank STORE; protects what follows */
	struct ct_cond work;        /* a write was queued, or closing became true */
	struct ct_cond reader_idle; /* … was given back, closing, or a waiting context tripped */
	struct ct_list idle, queue, readers_idle;
	struct ct_list dropped; /* given up while the queue was full; the writer tells them */
	uint32_t dropped_n;     /* at most write_queue_max; counted as running */
	bool closing;
	struct ct_store_stats stats;

	/* the writer thread's alone */
	struct ct_list group;    /* those that ran in the present transaction, in order */
	uint32_t group_limit;    /* 1..group_max: less after a lost transaction */
	uint32_t log_pages_seen; /* at the last checkpoint */
	bool wanted;             /* somebody still waited when the lock was last asked for */
};

/* Dropped, but not yet told, at once at most: room for them beside queue and group. */
enum { CT_STORE_DROPS_MAX = 64 };

/* writer.c */
CT_MUST_USE ct_status ct_writer__init(struct ct_store *s);
void *ct_writer__main(void *store);

/* readers.c */
CT_MUST_USE ct_status ct_readers__init(struct ct_store *s, struct ct_store_why *why);
void ct_readers__fini(struct ct_store *s);

void ct_why__set(struct ct_store_why *why, const char *fmt, ...) CT_PRINTF(2, 3); /* why: NULL ok */

#endif
