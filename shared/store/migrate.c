/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

#include "base/check.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Each step runs in one transaction that first takes the write lock and then
 * looks again what is applied: of two programs that start at once, one waits and
 * finds it done.
 */
enum { CHECKSUM_SIZE = 17 };

static const char sql_table[] =
	"CREATE TABLE IF NOT EXISTS ct_schema(version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" applied_at BIGINT NOT NULL, checksum TEXT NOT NULL)";
static const char sql_applied[] = "SELECT version, name, checksum FROM ct_schema ORDER BY version";
static const char sql_record[] =
	"INSERT INTO ct_schema(version, name, applied_at, checksum) VALUES ($1, $2, $3, $4)";

struct run {
	const struct ct_migration *steps;
	size_t steps_n;
	size_t done_n; /* the first so many are recorded */
};

/* FNV-1a, 64 bit, in hex: it finds an edit, it does not stop a forger. */
static void checksum(const char *sql, char out[CHECKSUM_SIZE])
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (const char *p = sql; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * UINT64_C(1099511628211);
	(void)snprintf(out, CHECKSUM_SIZE, "%016" PRIx64, h);
}

static bool bytes_are(struct ct_bytes b, const char *s)
{
	return b.len == strlen(s) && memcmp(b.ptr, s, b.len) == 0;
}

/* One recorded step against ours: the recorded ones must be our first ones. */
static ct_status compare(struct ct_stmt *row, void *arg)
{
	const int64_t version = ct_stmt_col_i64(row, 0);
	const struct ct_bytes name = ct_stmt_col_text(row, 1);
	char sum[CHECKSUM_SIZE];
	struct run *r = arg;

	if (r->done_n == r->steps_n || version < (int64_t)r->steps[r->done_n].version)
		return ct_db__fail(row->db, CT_FAILED_PRECONDITION,
				   "the database has schema step %lld (%.*s), which this program "
				   "does not know: it is newer",
				   (long long)version, (int)name.len, (const char *)name.ptr);
	if (version > (int64_t)r->steps[r->done_n].version)
		return ct_db__fail(row->db, CT_FAILED_PRECONDITION,
				   "schema step %u is missing below step %lld",
				   (unsigned)r->steps[r->done_n].version, (long long)version);
	checksum(r->steps[r->done_n].sql, sum);
	if (!bytes_are(ct_stmt_col_text(row, 2), sum))
		return ct_db__fail(row->db, CT_FAILED_PRECONDITION,
				   "schema step %lld (%.*s) was applied with another text",
				   (long long)version, (int)name.len, (const char *)name.ptr);
	r->done_n++;
	return CT_OK;
}

static ct_status look(struct ct_db *db, struct run *r)
{
	struct ct_stmt *s = NULL;
	ct_status st = ct_db_run(db, sql_table);

	r->done_n = 0;
	if (st == CT_OK)
		st = ct_db_prepare(db, sql_applied, &s);
	if (st == CT_OK)
		st = ct_stmt_each(s, compare, r);
	s = ct_stmt_release(s);
	return st;
}

static ct_status apply(struct ct_db *db, const struct ct_migration *m)
{
	char sum[CHECKSUM_SIZE];
	struct ct_stmt *s = NULL;
	ct_status st = db->driver->script(db, m->sql);

	if (st == CT_OK)
		st = db->driver->check_references(db);
	if (st == CT_OK)
		st = ct_db_prepare(db, sql_record, &s);
	if (st != CT_OK)
		return st;
	checksum(m->sql, sum);
	ct_stmt_bind_i64(s, 1, m->version);
	ct_stmt_bind_str(s, 2, m->name);
	ct_stmt_bind_i64(s, 3, ct_wall_us());
	ct_stmt_bind_str(s, 4, sum);
	st = ct_stmt_run(s);
	s = ct_stmt_release(s);
	return st;
}

/* The next missing step, if any, in a transaction. */
static ct_status advance(struct ct_db *db, struct run *r, bool *ret_more)
{
	ct_status st;
	bool more = false;

	ct_db__scope_open(db, NULL);
	st = db->driver->begin(db, /* write= */ true);
	if (st == CT_OK)
		st = look(db, r);
	if (st == CT_OK && r->done_n < r->steps_n) {
		st = apply(db, &r->steps[r->done_n]);
		more = true;
	}
	ct_db__scope_close(db);
	if (st == CT_OK)
		st = db->driver->commit(db);
	if (st != CT_OK)
		db->driver->rollback(db);
	*ret_more = more;
	return st;
}

static bool ascending(const struct ct_migration *steps, size_t n)
{
	uint32_t last = 0;

	for (size_t i = 0; i < n; i++) {
		if (steps[i].version <= last || steps[i].name == NULL || steps[i].sql == NULL)
			return false;
		last = steps[i].version;
	}
	return true;
}

static ct_status run_all(struct ct_db *db, struct run *r)
{
	ct_status st = db->driver->set_migrating(db, true);
	bool more = true;

	while (st == CT_OK && more)
		st = advance(db, r, &more);
	return st == CT_OK ? db->driver->set_migrating(db, false) : st;
}

ct_status ct_migrate__run(struct ct_db *db, const struct ct_migration *steps, size_t n,
			  struct ct_store_why *why, uint32_t *ret_version)
{
	struct run r = { .steps = steps, .steps_n = n };
	ct_status st;

	if (!ascending(steps, n) || n > CT_MIGRATIONS_MAX) {
		if (why != NULL)
			(void)snprintf(why->text, sizeof(why->text),
				       "migrations are not ascending, or nameless");
		return CT_INVALID_ARGUMENT;
	}
	st = run_all(db, &r);
	if (st != CT_OK) {
		if (why != NULL && r.done_n < n && st != CT_FAILED_PRECONDITION)
			(void)snprintf(why->text, sizeof(why->text), "schema step %u (%s): %.150s",
				       (unsigned)steps[r.done_n].version, steps[r.done_n].name,
				       db->why.text);
		else if (why != NULL)
			*why = db->why;
		return st;
	}
	*ret_version = n > 0 ? steps[n - 1].version : 0;
	return CT_OK;
}
