/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STORE_TAG 0x43545354u

/* ---- options -------------------------------------------------------------- */

struct range {
	const char *name;
	uint32_t value, fallback, min, max;
};

static bool in_range(const struct range *r, struct ct_store_why *why)
{
	if (r->value == 0 || (r->value >= r->min && r->value <= r->max))
		return true;
	ct_why__set(why, "%s is %u, not %u to %u", r->name, r->value, r->min, r->max);
	return false;
}

static bool path_ok(const char *path, struct ct_store_why *why)
{
	/* What SQLite takes for a database in memory, one for each connection. */
	if (path != NULL && path[0] != '\0' && strcmp(path, ":memory:") != 0)
		return true;
	ct_why__set(why, "path does not name a file");
	return false;
}

static ct_status complete(const struct ct_store_opts *o, struct ct_store_why *why,
			  struct ct_store_opts *ret_opts)
{
	const struct range ranges[] = {
		{ "readers", o->readers, 4, 1, 64 },
		{ "group_max", o->group_max, 256, 1, 4096 },
		{ "group_ms", o->group_ms, 20, 1, 1000 },
		{ "write_queue_max", o->write_queue_max, 1024, 1, 65536 },
		{ "busy_ms", o->busy_ms, 5000, 1, 60000 },
		{ "cache_kib", o->cache_kib, 512, 64, 1048576 },
		{ "checkpoint_pages", o->checkpoint_pages, 1000, 16, 1048576 },
	};
	uint32_t value[CT_ARRAY_N(ranges)];

	if (!path_ok(o->path, why))
		return CT_INVALID_ARGUMENT;
	for (size_t i = 0; i < CT_ARRAY_N(ranges); i++) {
		if (!in_range(&ranges[i], why))
			return CT_INVALID_ARGUMENT;
		value[i] = ranges[i].value != 0 ? ranges[i].value : ranges[i].fallback;
	}
	*ret_opts = *o;
	ret_opts->clk = o->clk != NULL ? o->clk : ct_clock_system();
	ret_opts->readers = (uint16_t)value[0];
	ret_opts->group_max = (uint16_t)value[1];
	ret_opts->group_ms = value[2];
	ret_opts->write_queue_max = value[3];
	ret_opts->busy_ms = value[4];
	ret_opts->cache_kib = value[5];
	ret_opts->checkpoint_pages = value[6];
	return CT_OK;
}

/* ---- life ----------------------------------------------------------------- */

static ct_status open_all(struct ct_store *s, struct ct_store_why *why)
{
	uint32_t version = 0;
	ct_status st;

	st = ct_db__new(&s->opts, /* writer= */ true, why, &s->writer_db);
	if (st == CT_OK)
		st = ct_migrate__run(s->writer_db, s->opts.migrations, s->opts.migrations_n, why,
				     &version);
	if (st == CT_OK)
		st = ct_readers__init(s, why);
	if (st == CT_OK)
		st = ct_writer__init(s);
	if (st != CT_OK)
		return st;
	s->stats.schema_version = version;
	s->opts.path = NULL; /* the caller's from here on */
	s->opts.migrations = NULL;
	st = ct_thread_start(&s->thread, "ct-write", ct_writer__main, s);
	s->started = st == CT_OK;
	return st;
}

static ct_status new_store(const struct ct_store_opts *opts, struct ct_store_why *why,
			   struct ct_store **ret_store)
{
	struct ct_store_opts full;
	struct ct_store *s;
	ct_status st = complete(opts, why, &full);

	if (st != CT_OK)
		return st;
	s = ct_mem_zalloc(1, sizeof(*s));
	if (s == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(s, STORE_TAG);
	s->opts = full;
	ct_lock_init(&s->lock, CT_RANK_STORE);
	ct_cond_init(&s->work);
	ct_cond_init(&s->reader_idle);
	st = open_all(s, why);
	if (st != CT_OK) {
		s = ct_store_free(s);
		return st;
	}
	*ret_store = s;
	return CT_OK;
}

ct_status ct_store_new(const struct ct_store_opts *opts, struct ct_store_why *why,
		       struct ct_store **ret_store)
{
	struct ct_store_why text = { "out of memory or threads" }; /* unless more is known */
	const ct_status st = new_store(opts, &text, ret_store);

	if (st != CT_OK)
		ct_why__set(why, "%s", text.text);
	return st;
}

void ct_store_close(struct ct_store *s)
{
	CT_TAG_CHECK(s, STORE_TAG);
	ct_lock_acquire(&s->lock);
	s->closing = true;
	ct_cond_signal(&s->work);
	ct_cond_broadcast(&s->reader_idle);
	ct_lock_release(&s->lock);
}

struct ct_store *ct_store_free(struct ct_store *s)
{
	if (s == NULL)
		return NULL;
	ct_store_close(s);
	if (s->started) {
		CT_CHECK(!pthread_equal(pthread_self(), s->thread));
		ct_thread_join(s->thread);
		(void)s->writer_db->driver->checkpoint(s->writer_db, /* restart= */ false);
	}
	CT_CHECK(s->stats.queued == 0);
	CT_CHECK(s->stats.running == 0);
	CT_CHECK(s->stats.readers_busy == 0);
	/* The writer last: the last connection of all removes the log. */
	ct_readers__fini(s);
	s->writer_db = ct_db__free(s->writer_db);
	ct_mem_free(s->writes);
	ct_cond_fini(&s->reader_idle);
	ct_cond_fini(&s->work);
	ct_lock_fini(&s->lock);
	CT_TAG_CLEAR(s);
	ct_mem_free(s);
	return NULL;
}

void ct_store_stats(struct ct_store *s, struct ct_store_stats *ret_stats)
{
	uint64_t busy_waits;

	CT_TAG_CHECK(s, STORE_TAG);
	busy_waits = atomic_load_explicit(&s->writer_db->busy_waits, memory_order_relaxed);
	for (uint16_t i = 0; i < s->readers_n; i++)
		busy_waits += atomic_load_explicit(&s->readers[i]->busy_waits,
						   memory_order_relaxed);
	ct_lock_acquire(&s->lock);
	*ret_stats = s->stats;
	ct_lock_release(&s->lock);
	ret_stats->busy_waits = busy_waits;
}

void ct_why__set(struct ct_store_why *why, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap); /* cut is fine */
	va_end(ap);
}
