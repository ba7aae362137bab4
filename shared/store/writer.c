/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/check.h"
#include "base/mem.h"
#include "conc/ctx.h"

/*
 * The thread "ct-write". One turn: begin, run what is queued (and what arrives
 * meanwhile) until a bound is met, commit, tell everybody.
 *
 * A write that failed is told only after the commit too: it may have failed for
 * what another write of the group did, and that must not be said before it is true.
 */
enum { LOG_RESTART_FACTOR = 8 };

static ct_status ctx_status(const struct ct_write *w)
{
	return w->ctx == NULL ? CT_OK : ct_ctx_status(w->ctx);
}

/* ---- the end of a write --------------------------------------------------- */

static bool stopped_by_ctx(const struct ct_write *w, ct_status st)
{
	return (st == CT_CANCELLED || st == CT_DEADLINE_EXCEEDED) && ctx_status(w) != CT_OK;
}

/* Of a write that is in no list and counted as running. */
static void end_write(struct ct_store *s, struct ct_write *w, ct_status st, const char *why)
{
	const bool stopped = stopped_by_ctx(w, st);
	struct ct_write ended;

	ct_lock_acquire(&s->lock);
	s->stats.running--;
	s->stats.committed += st == CT_OK;
	s->stats.cancelled += stopped;
	s->stats.failed += st != CT_OK && !stopped;
	ended = *w;
	w->ctx = NULL;
	w->why = NULL;
	ct_list_push_back(&s->idle, &w->link);
	ct_lock_release(&s->lock);

	ct_lock_check_none();
	ended.ctx = ct_ctx_unref(
		ended.ctx); /* first: once told, the owner may free all behind it */
	ended.done(ended.done_arg, st, why != NULL ? why : "");
	ct_mem_free(ended.why);
}

/* The first of the queue, now running; NULL: none waits. */
static struct ct_write *take(struct ct_store *s)
{
	struct ct_list *l;

	ct_lock_acquire(&s->lock);
	l = ct_list_pop_front(&s->queue);
	if (l != NULL) {
		s->stats.queued--;
		s->stats.running++;
	}
	ct_lock_release(&s->lock);
	return l == NULL ? NULL : CT_CONTAINER_OF(l, struct ct_write, link);
}

/* All that wait now fail alike. */
static void end_queued(struct ct_store *s, ct_status st, const char *why)
{
	struct ct_write *w;
	uint32_t n;

	ct_lock_acquire(&s->lock);
	n = s->stats.queued;
	ct_lock_release(&s->lock);
	while (n-- > 0 && (w = take(s)) != NULL)
		end_write(s, w, ctx_status(w) == CT_OK ? st : ctx_status(w), why);
}

/* Takes some of those whose context tripped out of the queue. */
static void take_tripped_locked(struct ct_store *s, struct ct_list *tripped) CT_REQUIRES(&s->lock)
{
	struct ct_list *next;
	unsigned n = 0;

	ct_lock_check_held(&s->lock);
	for (struct ct_list *l = s->queue.next; l != &s->queue && n < CT_STORE_DROPS_MAX;
	     l = next) {
		struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

		next = l->next;
		if (ctx_status(w) == CT_OK)
			continue;
		ct_list_remove(l);
		ct_list_push_back(tripped, l);
		s->stats.queued--;
		s->stats.running++;
		n++;
	}
}

/* Tells those that made room for others. One at a time: each is in a list, or
 * counted in the slack of the pool of writes. */
static void end_dropped(struct ct_store *s)
{
	struct ct_list *l;

	do {
		ct_lock_acquire(&s->lock);
		l = ct_list_pop_front(&s->dropped);
		s->dropped_n -= l != NULL;
		ct_lock_release(&s->lock);
		if (l != NULL) {
			struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

			end_write(s, w, ctx_status(w), "given up before it ran");
		}
	} while (l != NULL);
}

/* While another process has the lock: drops who gave up. False: nobody waits. */
static bool still_wanted(void *arg)
{
	struct ct_store *s = arg;
	struct ct_list tripped, *l;
	bool wanted, again;

	end_dropped(s);
	do {
		ct_list_init(&tripped);
		ct_lock_acquire(&s->lock);
		take_tripped_locked(s, &tripped);
		wanted = !ct_list_empty(&s->queue);
		ct_lock_release(&s->lock);
		again = !ct_list_empty(&tripped);
		while ((l = ct_list_pop_front(&tripped)) != NULL) {
			struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

			end_write(s, w, ctx_status(w), "given up while the database was locked");
		}
	} while (again && wanted);
	s->wanted = wanted;
	return wanted;
}

/* ---- one group ------------------------------------------------------------ */

/* False: the transaction is lost, with all that ran in it. */
static bool run_one(struct ct_store *s, struct ct_write *w)
{
	struct ct_db *db = s->writer_db;

	if (w->ran) {
		ct_lock_acquire(&s->lock);
		s->stats.reruns++;
		ct_lock_release(&s->lock);
	}
	w->ran = true;
	ct_mem_free(w->why);
	w->why = NULL;
	ct_db__scope_open(db, w->ctx);
	w->st = ct_db__guarded(db, w->fn, w->arg);
	ct_db__scope_close(db);
	if (w->st != CT_OK && db->why.text[0] != '\0')
		w->why = ct_mem_strdup(db->why.text); /* no memory: told without */
	ct_list_push_back(&s->group, &w->link);
	return db->driver->in_transaction(db);
}

/* Fills the group. False: the transaction is lost; the last one is the cause. */
static bool gather(struct ct_store *s, uint32_t *ret_ran)
{
	const ct_instant until = ct_deadline_after_ms(s->opts.clk, s->opts.group_ms);
	struct ct_write *w;
	bool alive = true;
	uint32_t n = 0;

	while (alive && n < s->group_limit && (n == 0 || !ct_deadline_passed(s->opts.clk, until)) &&
	       (w = take(s)) != NULL) {
		const ct_status st = ctx_status(w);

		if (st != CT_OK) {
			end_write(s, w, st, "given up before it ran");
			continue;
		}
		alive = run_one(s, w);
		n++;
	}
	*ret_ran = n;
	return alive;
}

/* The one that cost the transaction ends; the others wait again, in their order
 * and before everybody else. Smaller groups for a while: on a full disk each of
 * them would cost the others another run. */
static void start_over(struct ct_store *s, uint32_t ran)
{
	struct ct_write *cause = CT_CONTAINER_OF(s->group.prev, struct ct_write, link);

	ct_list_remove(&cause->link);
	ct_lock_acquire(&s->lock);
	s->stats.commits_failed++;
	s->stats.queued += ran - 1;
	s->stats.running -= ran - 1;
	ct_list_splice_back(&s->group, &s->queue);
	ct_list_splice_back(&s->queue, &s->group);
	ct_lock_release(&s->lock);
	s->group_limit = ran > 1 ? ran / 2 : 1;
	end_write(s, cause, cause->st, cause->why);
}

/* Ends the transaction: with a commit when anything in it is to stay. */
static ct_status finish(struct ct_store *s, uint32_t *ret_kept)
{
	struct ct_db *db = s->writer_db;
	ct_status st = CT_OK;
	uint32_t kept = 0;

	for (struct ct_list *l = s->group.next; l != &s->group; l = l->next)
		kept += CT_CONTAINER_OF(l, struct ct_write, link)->st == CT_OK;
	ct_db__scope_open(db, NULL);
	if (kept > 0)
		st = db->driver->commit(db);
	else
		db->driver->rollback(db);
	ct_db__scope_close(db);
	*ret_kept = kept;
	return st;
}

static void end_group(struct ct_store *s, ct_status st, uint32_t kept)
{
	const struct ct_store_why why = s->writer_db->why;
	struct ct_list *l;

	ct_lock_acquire(&s->lock);
	s->stats.commits += st == CT_OK && kept > 0;
	s->stats.commits_failed += st != CT_OK;
	if (st == CT_OK && kept > s->stats.group_largest)
		s->stats.group_largest = kept;
	ct_lock_release(&s->lock);
	while ((l = ct_list_pop_front(&s->group)) != NULL) {
		struct ct_write *w = CT_CONTAINER_OF(l, struct ct_write, link);

		if (st != CT_OK)
			end_write(s, w, st, why.text);
		else
			end_write(s, w, w->st, w->why);
	}
	if (st == CT_OK && s->group_limit < s->opts.group_max)
		s->group_limit = s->group_limit * 2 < s->opts.group_max ? s->group_limit * 2
									: s->opts.group_max;
}

/* Between two groups, when nobody waits for the answer: the log goes into the
 * file. A failure costs nothing but space: tried again when the log has grown on. */
static void tidy_log(struct ct_store *s)
{
	struct ct_db *db = s->writer_db;
	const uint32_t pages = db->driver->log_pages(db);

	if (pages < s->log_pages_seen)
		s->log_pages_seen = 0; /* the log began anew */
	if (pages - s->log_pages_seen < s->opts.checkpoint_pages)
		return;
	if (db->driver->checkpoint(db, pages / LOG_RESTART_FACTOR >= s->opts.checkpoint_pages)) {
		ct_lock_acquire(&s->lock);
		s->stats.checkpoints++;
		ct_lock_release(&s->lock);
	}
	s->log_pages_seen = pages;
}

static void run_group(struct ct_store *s)
{
	struct ct_db *db = s->writer_db;
	uint32_t ran = 0, kept = 0;
	ct_status st;

	s->wanted = true;
	ct_db__scope_open(db, NULL);
	st = db->driver->begin(db, /* write= */ true);
	ct_db__scope_close(db);
	if (st != CT_OK) {
		if (s->wanted) /* else all gave up, and who came since waits his own time */
			end_queued(s, st, db->why.text);
		return;
	}
	if (!gather(s, &ran)) {
		start_over(s, ran);
		return;
	}
	st = finish(s, &kept);
	end_group(s, st, kept);
	tidy_log(s);
	db->driver->give_way(db);
}

/* False: closed and nothing is left. */
static bool wait_for_work(struct ct_store *s)
{
	bool work;

	ct_lock_acquire(&s->lock);
	while (ct_list_empty(&s->queue) && ct_list_empty(&s->dropped) && !s->closing)
		ct_cond_wait(&s->work, &s->lock);
	work = !ct_list_empty(&s->queue) || !ct_list_empty(&s->dropped);
	ct_lock_release(&s->lock);
	return work;
}

void *ct_writer__main(void *store)
{
	struct ct_store *s = store;

	while (wait_for_work(s)) {
		end_dropped(s);
		run_group(s);
	}
	return NULL;
}

ct_status ct_writer__init(struct ct_store *s)
{
	const size_t n = 2 * (size_t)s->opts.write_queue_max + s->opts.group_max +
			 CT_STORE_DROPS_MAX; /* twice: queued and dropped */

	ct_list_init(&s->idle);
	ct_list_init(&s->queue);
	ct_list_init(&s->dropped);
	ct_list_init(&s->group);
	s->group_limit = s->opts.group_max;
	s->writes = ct_mem_zalloc(n, sizeof(*s->writes));
	if (s->writes == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < n; i++)
		ct_list_push_back(&s->idle, &s->writes[i].link);
	s->writer_db->still_wanted = still_wanted;
	s->writer_db->still_wanted_arg = s;
	return CT_OK;
}
