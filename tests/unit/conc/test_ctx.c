/* SPDX-License-Identifier: Apache-2.0 */
/* Tripping: causes, deadlines and what they do to the tree. */
#include "conc/ctx.h"

#include "conc/lock.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/ctx_fixture.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(ctx, .fini = leak_check, .timeout = 60);

static struct fixture f;

Test(ctx, a_fresh_root_is_live)
{
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	cr_assert_not(ct_ctx_done(ctx));
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE);
	cr_assert_eq(ct_ctx_status(ctx), CT_OK);
	cr_assert_eq(ct_ctx_deadline(ctx).ns, in_ms(&f, 50).ns);
	cr_assert_eq(ct_ctx_tripped_at(ctx).ns, INT64_MAX);
	cr_assert_eq(ct_ctx_timers(ctx), f.timers);
	cr_assert_eq(ct_ctx_now(ctx).ns, in_ms(&f, 0).ns);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx, the_first_cause_wins_and_later_ones_change_nothing)
{
	struct ct_ctx *ctx;
	ct_instant then;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	pass_ms(&f, 3);
	then = in_ms(&f, 0);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_SIBLING));
	pass_ms(&f, 1);
	cr_assert_not(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	pass_ms(&f, 100); /* its deadline */
	cr_assert(ct_ctx_done(ctx));
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_SIBLING);
	cr_assert_eq(ct_ctx_status(ctx), CT_CANCELLED);
	cr_assert_eq(ct_ctx_tripped_at(ctx).ns, then.ns);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx, every_reason_has_a_name_a_number_and_a_status)
{
	static const struct {
		enum ct_cancel_reason why;
		int number;
		const char *name;
		ct_status st;
	} rows[] = {
		{ CT_CANCEL_NONE, 0, "", CT_OK },
		{ CT_CANCEL_CALLER, 1, "caller", CT_CANCELLED },
		{ CT_CANCEL_DEADLINE, 2, "deadline", CT_DEADLINE_EXCEEDED },
		{ CT_CANCEL_PARENT, 3, "parent", CT_CANCELLED },
		{ CT_CANCEL_SIBLING, 4, "sibling", CT_CANCELLED },
		{ CT_CANCEL_HEDGE_LOST, 5, "hedge_lost", CT_CANCELLED },
		{ CT_CANCEL_DRAIN, 6, "drain", CT_CANCELLED },
		{ CT_CANCEL_PEER_GONE, 7, "peer_gone", CT_CANCELLED },
	};

	fixture_init(&f);
	for (size_t i = 0; i < CT_ARRAY_N(rows); i++) {
		cr_assert_eq((int)rows[i].why, rows[i].number);
		cr_assert_str_eq(ct_cancel_reason_name(rows[i].why), rows[i].name);
		cr_assert_eq(ct_status_from_reason(rows[i].why), rows[i].st);
		if (rows[i].why != CT_CANCEL_NONE) {
			struct ct_ctx *ctx = new_root(&f, CT_NEVER);

			cr_assert(ct_ctx_cancel(ctx, rows[i].why));
			cr_assert_eq(ct_ctx_reason(ctx), rows[i].why);
			cr_assert_eq(ct_ctx_status(ctx), rows[i].st);
			ct_ctx_unref(ctx);
		}
	}
	cr_assert_str_eq(ct_cancel_reason_name((enum ct_cancel_reason)99), "unknown");
	fixture_fini(&f);
}

/* ---- deadlines --------------------------------------------------------------------- */

Test(ctx, a_deadline_trips_at_its_instant_and_not_before)
{
	struct witness w;
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	watch(ctx, &w);
	fake_clock_step_ns(&f.clock, 49999999);
	ct_timers_poke(f.timers);
	cr_assert_not(ct_ctx_done(ctx));
	cr_assert_eq(ct_ctx_status(ctx), CT_OK);

	fake_clock_step_ns(&f.clock, 1);
	ct_timers_poke(f.timers);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_tripped_at(ctx).ns, ct_ctx_deadline(ctx).ns);
	cr_assert_eq(atomic_load(&w.runs), 1);
	cr_assert_eq(w.why, CT_CANCEL_DEADLINE);
	cr_assert_not(pthread_equal(w.thread, pthread_self()));
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx, the_status_knows_of_a_deadline_before_the_timer_thread_does)
{
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 50));
	fake_clock_step_ms(&f.clock, 50); /* nobody pokes */
	cr_assert_not(ct_ctx_done(ctx));
	cr_assert_eq(ct_ctx_status(ctx), CT_DEADLINE_EXCEEDED);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx, a_deadline_that_has_passed_trips_from_the_start)
{
	struct witness w;
	struct ct_ctx *ctx, *child;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 0));
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_DEADLINE);
	watch(ctx, &w);
	cr_assert_eq(atomic_load(&w.runs), 1);
	cr_assert_eq(w.why, CT_CANCEL_DEADLINE);
	child = new_child(ctx, CT_NEVER);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_DEADLINE);
	ct_ctx_unref(child);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx, a_child_lives_no_longer_than_its_parent)
{
	struct ct_ctx *root, *sooner, *later, *timed;

	fixture_init(&f);
	root = new_root(&f, in_ms(&f, 50));
	sooner = new_child(root, in_ms(&f, 20));
	later = new_child(root, in_ms(&f, 80));
	cr_assert_eq(ct_ctx_with_timeout_ms(root, 30, &timed), CT_OK);
	cr_assert_eq(ct_ctx_deadline(sooner).ns, in_ms(&f, 20).ns);
	cr_assert_eq(ct_ctx_deadline(later).ns, in_ms(&f, 50).ns);
	cr_assert_eq(ct_ctx_deadline(timed).ns, in_ms(&f, 30).ns);

	pass_ms(&f, 20);
	cr_assert_eq(ct_ctx_reason(sooner), CT_CANCEL_DEADLINE);
	cr_assert_not(ct_ctx_done(timed));
	cr_assert_not(ct_ctx_done(root));
	pass_ms(&f, 10);
	cr_assert_eq(ct_ctx_reason(timed), CT_CANCEL_DEADLINE);
	pass_ms(&f, 20);
	cr_assert_eq(ct_ctx_reason(root), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_reason(later), CT_CANCEL_DEADLINE);
	ct_ctx_unref(timed);
	ct_ctx_unref(later);
	ct_ctx_unref(sooner);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx, a_childs_deadline_reaches_its_own_children_but_not_its_parent)
{
	struct ct_ctx *root, *child, *grandchild;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	child = new_child(root, in_ms(&f, 20));
	grandchild = new_child(child, CT_NEVER);
	cr_assert_eq(ct_ctx_deadline(root).ns, INT64_MAX);
	pass_ms(&f, 20);
	cr_assert_eq(ct_ctx_reason(grandchild), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_reason(root), CT_CANCEL_NONE);
	ct_ctx_unref(grandchild);
	ct_ctx_unref(child);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

/* ---- the tree ------------------------------------------------------------------------ */

Test(ctx, a_cancel_trips_everything_below_and_nothing_above_or_beside)
{
	struct ct_ctx *root, *left, *right, *leaf;
	struct witness on_leaf, on_right;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	left = new_child(root, CT_NEVER);
	right = new_child(root, CT_NEVER);
	leaf = new_child(left, CT_NEVER);
	watch(leaf, &on_leaf);
	watch(right, &on_right);
	cr_assert(ct_ctx_cancel(left, CT_CANCEL_HEDGE_LOST));
	cr_assert_eq(ct_ctx_reason(left), CT_CANCEL_HEDGE_LOST);
	cr_assert_eq(ct_ctx_reason(leaf), CT_CANCEL_PARENT);
	cr_assert_eq(on_leaf.why, CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(right), CT_CANCEL_NONE);
	cr_assert_eq(atomic_load(&on_right.runs), 0);
	cr_assert_eq(ct_ctx_reason(root), CT_CANCEL_NONE);

	cr_assert(ct_ctx_cancel(root, CT_CANCEL_CALLER));
	cr_assert_eq(ct_ctx_reason(right), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(left), CT_CANCEL_HEDGE_LOST); /* the first cause */
	cr_assert_eq(atomic_load(&on_leaf.runs), 1);
	ct_ctx_unref(leaf);
	ct_ctx_unref(right);
	ct_ctx_unref(left);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx, a_child_of_a_tripped_parent_is_tripped_at_once)
{
	struct ct_ctx *root, *child, *grandchild;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	cr_assert(ct_ctx_cancel(root, CT_CANCEL_DRAIN));
	child = new_child(root, in_ms(&f, 10));
	grandchild = new_child(child, CT_NEVER);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(grandchild), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_tripped_at(child).ns, in_ms(&f, 0).ns);
	ct_ctx_unref(grandchild);
	ct_ctx_unref(child);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx, a_wide_tree_is_tripped_whole)
{
	enum { N = 2000 };
	static struct ct_ctx *children[N];
	static struct witness w[N];
	struct ct_ctx *root;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	for (int i = 0; i < N; i++) {
		children[i] = new_child(i % 2 == 0 ? root : children[i - 1], CT_NEVER);
		watch(children[i], &w[i]);
	}
	cr_assert(ct_ctx_cancel(root, CT_CANCEL_CALLER));
	for (int i = 0; i < N; i++)
		cr_assert_eq(atomic_load(&w[i].runs), 1);
	for (int i = 0; i < N; i++)
		ct_ctx_unref(children[i]);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx, a_tree_of_any_depth_is_tripped_and_given_up_on_a_small_stack)
{
	enum { DEPTH = 100000 };
	struct ct_ctx *root, *at;
	struct witness w;

	fixture_init(&f);
	root = new_root(&f, in_ms(&f, 10));
	at = new_child(root, CT_NEVER);
	for (int i = 0; i < DEPTH; i++) {
		struct ct_ctx *below = new_child(at, CT_NEVER);

		ct_ctx_unref(at); /* below holds it */
		at = below;
	}
	watch(at, &w);
	pass_ms(&f, 10); /* on the timer thread, whose stack is 256 KiB */
	cr_assert_eq(atomic_load(&w.runs), 1);
	cr_assert_eq(ct_ctx_reason(at), CT_CANCEL_DEADLINE);
	ct_ctx_unref(at);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

/* ---- what is inherited ------------------------------------------------------------------ */

Test(ctx, children_inherit_the_trace_that_is_set_when_they_are_made)
{
	const struct ct_trace t = { .trace_id = { { 7 } }, .span_id = 9 };
	struct ct_ctx *root, *before, *after;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	before = new_child(root, CT_NEVER);
	ct_ctx_set_trace(root, t);
	after = new_child(root, CT_NEVER);
	cr_assert_eq(ct_ctx_trace(after).span_id, 9);
	cr_assert_eq(ct_ctx_trace(after).trace_id.b[0], 7);
	cr_assert_eq(ct_ctx_trace(before).span_id, 0);
	ct_ctx_unref(after);
	ct_ctx_unref(before);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

/* ---- what cannot be ------------------------------------------------------------------------ */

Test(ctx, criticality_is_inherited_and_only_ever_lowered)
{
	struct ct_ctx *root, *child, *grandchild;

	fixture_init(&f);
	cr_assert_eq(ct_ctx_new_root(f.timers, CT_NEVER, &root), CT_OK);
	cr_assert_eq(ct_ctx_criticality(root, CT_CRIT_CRITICAL), CT_CRIT_CRITICAL, "nobody said");
	cr_assert_eq(ct_ctx_criticality(root, CT_CRIT_DEFAULT), CT_CRIT_DEFAULT);

	ct_ctx_set_criticality(root, CT_CRIT_CRITICAL);
	cr_assert_eq(ct_ctx_with_deadline(root, CT_NEVER, &child), CT_OK);
	ct_ctx_set_criticality(child, CT_CRIT_DEFAULT);
	cr_assert_eq(ct_ctx_with_deadline(child, CT_NEVER, &grandchild), CT_OK);
	ct_ctx_set_criticality(grandchild, CT_CRIT_CRITICAL);

	cr_assert_eq(ct_ctx_criticality(root, CT_CRIT_DEFAULT), CT_CRIT_CRITICAL);
	cr_assert_eq(ct_ctx_criticality(child, CT_CRIT_CRITICAL), CT_CRIT_DEFAULT);
	cr_assert_eq(ct_ctx_criticality(child, CT_CRIT_SHEDDABLE), CT_CRIT_SHEDDABLE);
	cr_assert_eq(ct_ctx_criticality(grandchild, CT_CRIT_CRITICAL), CT_CRIT_DEFAULT);
	ct_ctx_unref(grandchild);
	ct_ctx_unref(child);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx, cancelling_for_no_reason_is_a_programming_error, .signal = SIGABRT)
{
	fixture_init(&f);
	ct_ctx_cancel(new_root(&f, CT_NEVER), CT_CANCEL_NONE);
}

Test(ctx, a_root_without_timers_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_ctx ctx;

	ct_ctx_init(&ctx, NULL, NULL, CT_NEVER, NULL);
}

static void cancel_locked(struct ct_ctx *ctx, struct ct_lock *l) CT_NO_TSA
{
	ct_lock_acquire(l);
	ct_ctx_cancel(ctx, CT_CANCEL_CALLER);
}

Test(ctx, running_hooks_with_a_lock_held_is_a_programming_error, .signal = SIGABRT)
{
	struct ct_lock call;
	struct witness w;
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	watch(ctx, &w);
	ct_lock_init(&call, CT_RANK_CALL);
	cancel_locked(ctx, &call);
}
