/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_STORE_H
#define CT_STORE_STORE_H

#include "base/attrs.h"
#include "base/clock.h"
#include "base/status.h"
#include "store/db.h"
#include "store/migration.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A database with one writer and many readers. Every write goes through one
 * thread, "ct-write", that puts all writes that have gathered while the last
 * commit ran into one transaction: one fsync for all of them. Reads run on the
 * caller's thread on a borrowed connection and never wait for writes.
 *
 * Nothing acknowledged is ever lost: OK is said after the commit reached the
 * disk. Several processes on one host may share one database file.
 *
 * Beside the SQLite file at path stand "-wal", "-shm" and "-turn": they belong to it.
 *
 * Life: new -> (write | read)* -> close -> free. Any thread, except that free
 * must not be called from a fn or done of a write, and that every read has ended
 * before free. A context argument may be NULL: nobody cancels it.
 */
struct ct_store;
struct ct_ctx;

/* Why something failed, in words for an operator. Cut at the size. */
struct ct_store_why {
	char text[256];
};

struct ct_store_opts {
	const struct ct_clock *clk; /* for group_ms and busy_ms; NULL: ct_clock_system() */
	const char *path;           /* of the SQLite file; made when missing */
	const struct ct_migration *migrations; /* borrowed during new; NULL with 0: none */
	size_t migrations_n;
	uint32_t application_id;   /* marks the file as ours; 0: not marked, not checked */
	uint16_t readers;          /* 1..64 connections for reads; 0: 4 */
	uint16_t group_max;        /* 1..4096 most writes in a transaction; 0: 256 */
	uint32_t group_ms;         /* 1..1000 until a transaction takes in no more; 0: 20 */
	uint32_t write_queue_max;  /* 1..65536 writes that may wait; 0: 1024 */
	uint32_t busy_ms;          /* 1..60000 longest wait for another process; 0: 5000 */
	uint32_t cache_kib;        /* 64..1048576 page cache of each connection; 0: 512 */
	uint32_t size_max_pages;   /* largest database, pages of 4 KiB; 0: what the disk holds */
	uint32_t checkpoint_pages; /* 16..1048576 pages of log that start a checkpoint; 0: 1000 */
};

/*
 * Opens, migrates and starts the writer. Blocks on the disk, and up to busy_ms on
 * another process that migrates. why (NULL ok) is written only on a failure:
 *   INVALID_ARGUMENT     an option out of range, migrations not ascending
 *   NOT_FOUND            the folder of the path does not exist
 *   PERMISSION_DENIED    the file or its folder cannot be read or written
 *   FAILED_PRECONDITION  the file belongs to another program, its schema is newer
 *                        than this program, or a recorded migration has changed
 *   UNAVAILABLE          another process holds it too long
 *   RESOURCE_EXHAUSTED   no memory, thread, descriptor or disk space
 *   DATA_LOSS            not a database, or a corrupt one
 *   INTERNAL             I/O error, or a migration that is not valid SQL
 */
CT_MUST_USE ct_status ct_store_new(const struct ct_store_opts *opts, struct ct_store_why *why,
				   struct ct_store **ret_store);

/* Refuses new writes and reads, wakes those that wait for a reader with
 * UNAVAILABLE. Writes accepted before still commit, reads that run go on. Does
 * not block. Idempotent. */
void ct_store_close(struct ct_store *s);

/* close, waits until the writer has committed what it accepted, moves the
 * write-ahead log into the file, closes. NULL ok; returns NULL. */
struct ct_store *ct_store_free(struct ct_store *s);

/* How a write ended. Runs exactly once for every accepted write, on the writer
 * thread with no lock held, after the commit or the rollback:
 *   OK        it is on the disk;
 *   other     nothing of it is: what fn returned, the first failure of its
 *             statements (db.h), the context's status when that tripped before or
 *             while it ran, or the failure of the common commit, with which every
 *             write of the group fails. Only after an I/O error (DATA_LOSS,
 *             INTERNAL) it may yet be found applied after a crash.
 * why is never NULL, is borrowed for the call, and holds no bound value. It must
 * not block: the next group waits. It may call ct_store_write(), not _wait. */
typedef void(ct_store_done_fn)(void *arg, ct_status st, const char *why);

/*
 * Queues a write. Does not block. fn runs on the writer thread, in a savepoint
 * of its own: its failure undoes only itself. When the common transaction is
 * lost for another's sake (a cancelled statement, a full disk) fn runs again in a
 * new one: so it changes nothing but the database and what it overwrites in arg.
 * It must neither wait for anything but the database nor call ct_store_write_wait().
 * A context that trips before fn ran, or stops it, ends the write; one that trips
 * afterwards changes nothing. Writes of one thread run in the order given.
 *
 * OK: done will run once; the store holds a reference to ctx until just before. On any
 * other status neither fn nor done ever runs:
 *   RESOURCE_EXHAUSTED  write_queue_max writes wait already. Those whose context
 *                       tripped do not count: they make room, and their done runs
 *                       as always, on the writer thread
 *   UNAVAILABLE         closing
 *   CANCELLED, DEADLINE_EXCEEDED  the context tripped before
 */
CT_MUST_USE ct_status ct_store_write(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn,
				     void *arg, ct_store_done_fn *done, void *done_arg);

/* The same and waits for the end; while it is still queued a trip of the context
 * takes it out of the queue at once. why (NULL ok) is written on a failure. Not
 * from the writer thread (CT_CHECKed). */
CT_MUST_USE ct_status ct_store_write_wait(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn,
					  void *arg, struct ct_store_why *why);

/* Borrows a read connection; waits for one until the context trips. Its
 * statements see one state of the database: that of the first one.
 * OK: give it back with ct_store_read_end() on the same thread, soon: an open
 * read keeps the write-ahead log from shrinking. CANCELLED, DEADLINE_EXCEEDED:
 * the context. UNAVAILABLE: closing, or another process holds the file. Others
 * as in db.h. Never from a thread that holds a reader already. */
CT_MUST_USE ct_status ct_store_read_begin(struct ct_store *s, struct ct_ctx *ctx,
					  struct ct_db **ret_db);
void ct_store_read_end(struct ct_store *s, struct ct_db *db);

/* read_begin, fn, read_end. The first failure of a statement, else what fn
 * returned. why (NULL ok) is written on a failure. */
CT_MUST_USE ct_status ct_store_read(struct ct_store *s, struct ct_ctx *ctx, ct_db_fn *fn, void *arg,
				    struct ct_store_why *why);

/* Counts since new. At every moment
 *   accepted = committed + failed + cancelled + queued + running
 * and an ended write is counted before its done runs. */
struct ct_store_stats {
	uint64_t accepted, refused; /* by ct_store_write() and _wait() */
	uint64_t committed;         /* on the disk */
	uint64_t failed;            /* rolled back: fn, a statement or the commit failed */
	uint64_t cancelled;         /* dropped or stopped by the context */
	uint64_t reruns;            /* runs of a fn beyond the first */
	uint64_t commits;           /* transactions, each one fsync */
	uint64_t commits_failed;    /* transactions lost, whose writes failed or ran again */
	uint64_t checkpoints;
	uint64_t reads, reads_failed, reads_cancelled; /* begun; ended badly */
	uint64_t reader_waits;                         /* reads that had to wait for a connection */
	uint64_t busy_waits;    /* times a lock of another process was waited for */
	uint32_t queued;        /* writes that wait */
	uint32_t running;       /* in the present transaction, or about to be told */
	uint32_t group_largest; /* writes committed by one transaction */
	uint32_t readers_busy;
	uint32_t schema_version; /* of the newest migration applied; 0: none */
};

void ct_store_stats(struct ct_store *s, struct ct_store_stats *ret_stats);

#endif
