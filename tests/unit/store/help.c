/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/help.h"

#include "store/sqlite_internal.h"

#include "tests/lib/leak_check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

void help_init(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/ct-store-XXXXXX");
	CT_CHECK(mkdtemp(dir) != NULL);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *at)
{
	(void)sb;
	(void)kind;
	(void)at;
	return remove(path);
}

void help_fini(void)
{
	CT_CHECK(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
	leak_check();
}

const char *help_dir(void)
{
	return dir;
}

const char *help_path(const char *name)
{
	static _Thread_local char paths[8][128];
	static _Thread_local unsigned next;
	char *p = paths[next++ % 8];

	CT_CHECK(snprintf(p, sizeof(paths[0]), "%s/%s", dir, name) < (int)sizeof(paths[0]));
	return p;
}

char *help_slurp(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	char *bytes;
	int64_t len;

	CT_CHECK(f != NULL);
	CT_CHECK(fseek(f, 0, SEEK_END) == 0);
	len = ftell(f);
	CT_CHECK(len >= 0 && fseek(f, 0, SEEK_SET) == 0);
	bytes = malloc((size_t)len + 1);
	CT_CHECK(bytes != NULL);
	CT_CHECK(fread(bytes, 1, (size_t)len, f) == (size_t)len);
	bytes[len] = '\0';
	CT_CHECK(fclose(f) == 0);
	*ret_len = (size_t)len;
	return bytes;
}

void help_spew(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	CT_CHECK(f != NULL);
	CT_CHECK(fwrite(bytes, 1, len, f) == len);
	CT_CHECK(fclose(f) == 0);
}

const struct ct_migration help_schema[1] = {
	{ 1, "items",
	  "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value REAL,"
	  " data BLOB, CHECK (value >= 0)) STRICT;"
	  "CREATE TABLE note(item INTEGER NOT NULL REFERENCES item(id), body TEXT) STRICT;" },
};

static ct_instant frozen_now(const struct ct_clock *self)
{
	(void)self;
	return (ct_instant){ .ns = INT64_C(1000000000) };
}

const struct ct_clock help_frozen = { .now = frozen_now };

static struct ct_store_opts filled(const struct ct_store_opts *opts)
{
	struct ct_store_opts o = { 0 };

	if (opts != NULL)
		o = *opts;
	if (o.path == NULL)
		o.path = help_path("db");
	if (o.migrations == NULL) {
		o.migrations = help_schema;
		o.migrations_n = 1;
	}
	return o;
}

struct ct_store *help_open(const struct ct_store_opts *opts)
{
	const struct ct_store_opts o = filled(opts);
	struct ct_store_why why = { "" };
	struct ct_store *s = NULL;
	const ct_status st = ct_store_new(&o, &why, &s);

	if (st != CT_OK)
		fprintf(stderr, "open: %s: %s\n", ct_status_name(st), why.text);
	CT_CHECK(st == CT_OK);
	return s;
}

ct_status help_try_open(const struct ct_store_opts *opts, struct ct_store_why *why)
{
	const struct ct_store_opts o = filled(opts);
	struct ct_store *s = NULL;
	const ct_status st = ct_store_new(&o, why, &s);

	CT_CHECK((st == CT_OK) == (s != NULL));
	s = ct_store_free(s);
	return st;
}

void help_ctx_init(struct help_ctx *c, const struct ct_clock *clk, ct_instant deadline)
{
	CT_CHECK(ct_timers_new(clk, &c->timers) == CT_OK);
	CT_CHECK(ct_ctx_new_root(c->timers, deadline, &c->ctx) == CT_OK);
}

void help_ctx_fini(struct help_ctx *c)
{
	ct_ctx_finish(c->ctx);
	c->ctx = ct_ctx_unref(c->ctx);
	c->timers = ct_timers_free(c->timers);
}

void ended_init(struct ended *e)
{
	memset(e, 0, sizeof(*e));
	CT_CHECK(sem_init(&e->sem, 0, 0) == 0);
}

void ended_done(void *arg, ct_status st, const char *why)
{
	struct ended *e = arg;

	e->st = st;
	(void)snprintf(e->why.text, sizeof(e->why.text), "%s", why);
	atomic_fetch_add(&e->calls, 1);
	CT_CHECK(sem_post(&e->sem) == 0);
}

ct_status ended_await(struct ended *e)
{
	AWAIT(&e->sem);
	return e->st;
}

ct_status insert_fn(struct ct_db *db, void *arg)
{
	struct insert *in = arg;
	struct ct_stmt *s = NULL;
	ct_status st;

	atomic_fetch_add(&in->runs, 1);
	st = ct_db_prepare(db, "INSERT INTO item(name) VALUES ($1)", &s);
	if (st != CT_OK)
		return st;
	ct_stmt_bind_str(s, 1, in->name);
	st = ct_stmt_run(s);
	return st != CT_OK ? st : in->then;
}

ct_status parked_fn(struct ct_db *db, void *arg)
{
	struct parked *p = arg;

	(void)db;
	CT_CHECK(sem_post(&p->entered) == 0);
	AWAIT(&p->open);
	return CT_OK;
}

void park(struct ct_store *s, struct parked *p)
{
	ended_init(&p->ended);
	CT_CHECK(sem_init(&p->entered, 0, 0) == 0);
	CT_CHECK(sem_init(&p->open, 0, 0) == 0);
	CT_CHECK(ct_store_write(s, NULL, parked_fn, p, ended_done, &p->ended) == CT_OK);
	AWAIT(&p->entered);
}

void unpark(struct parked *p)
{
	CT_CHECK(sem_post(&p->open) == 0);
	CT_CHECK(ended_await(&p->ended) == CT_OK);
}

ct_status put(struct ct_store *s, const char *name)
{
	struct insert in = { .name = name };

	return ct_store_write_wait(s, NULL, insert_fn, &in, NULL);
}

int64_t ask(struct ct_store *s, const char *sql)
{
	struct ct_stmt *q = NULL;
	struct ct_db *db = NULL;
	bool row = false;
	int64_t value;

	CT_CHECK(ct_store_read_begin(s, NULL, &db) == CT_OK);
	CT_CHECK(ct_db_prepare(db, sql, &q) == CT_OK);
	CT_CHECK(ct_stmt_step(q, &row) == CT_OK);
	CT_CHECK(row);
	value = ct_stmt_col_i64(q, 0);
	ct_store_read_end(s, db);
	return value;
}

int64_t items(struct ct_store *s)
{
	return ask(s, "SELECT count(*) FROM item");
}

struct ct_store_stats stats_of(struct ct_store *s)
{
	struct ct_store_stats st;

	ct_store_stats(s, &st);
	return st;
}

bool identity_holds(struct ct_store *s)
{
	const struct ct_store_stats st = stats_of(s);

	return st.accepted == st.committed + st.failed + st.cancelled + st.queued + st.running;
}

static void hit(sqlite3_context *out, int n, sqlite3_value **args)
{
	(void)n;
	(void)args;
	CT_CHECK(sem_post(sqlite3_user_data(out)) == 0);
	sqlite3_result_int(out, 1);
}

void give_hit(struct ct_db *db, sem_t *sem)
{
	struct ct_sqlite *c = db->conn;

	CT_CHECK(sqlite3_create_function(c->h, "hit", 0, SQLITE_UTF8, sem, hit, NULL, NULL) ==
		 SQLITE_OK);
}

#define ENDLESS "WITH RECURSIVE c(x) AS (SELECT hit() UNION ALL SELECT x + 1 FROM c) "
const char help_endless_select[] = ENDLESS "SELECT count(*) FROM c";
const char help_endless_insert[] = "INSERT INTO item(name) " ENDLESS
				   "SELECT 'endless ' || x FROM c";
