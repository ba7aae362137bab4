/* SPDX-License-Identifier: Apache-2.0 */
/* Life: references, finish, embedding. */
#include "base/mem.h"
#include "tests/lib/leak_check.h"
#include "tests/unit/conc/ctx_fixture.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(ctx_life, .fini = leak_check, .timeout = 60);

static struct fixture f;

static void nothing(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	(void)hook;
	(void)why;
}

/* ---- finish ---------------------------------------------------------------------------- */

Test(ctx_life, a_finished_context_is_tripped_by_neither_deadline_nor_parent)
{
	struct ct_ctx *root, *ctx;
	struct witness w;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	ctx = new_child(root, in_ms(&f, 5));
	watch(ctx, &w);
	ct_ctx_finish(ctx);
	ct_ctx_finish(ctx); /* idempotent */
	pass_ms(&f, 10);
	ct_ctx_cancel(root, CT_CANCEL_CALLER);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE);
	cr_assert_eq(atomic_load(&w.runs), 0);
	cr_assert(ct_ctx_hook_remove(ctx, &w.hook)); /* dropped: it never ran */
	ct_ctx_unref(ctx);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx_life, a_finished_context_can_still_be_cancelled_by_hand)
{
	struct ct_ctx *ctx, *child;
	struct witness dropped, late;

	fixture_init(&f);
	ctx = new_root(&f, CT_NEVER);
	watch(ctx, &dropped);
	ct_ctx_finish(ctx);
	child = new_child(ctx, CT_NEVER);
	watch(ctx, &late);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_CALLER);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_PARENT);
	cr_assert_eq(atomic_load(&dropped.runs), 0);
	cr_assert_eq(atomic_load(&late.runs), 1);
	ct_ctx_unref(child);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_life, a_tripped_context_stays_tripped_when_it_is_finished)
{
	struct ct_ctx *ctx;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 5));
	pass_ms(&f, 5);
	ct_ctx_finish(ctx);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_DEADLINE);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_life, work_below_a_finished_context_keeps_its_deadline)
{
	struct ct_ctx *ctx, *child, *late;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 20));
	child = new_child(ctx, CT_NEVER); /* relies on its parent's deadline */
	ct_ctx_finish(ctx);
	late = new_child(ctx, CT_NEVER);
	ct_ctx_unref(ctx);
	pass_ms(&f, 19);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_NONE);
	pass_ms(&f, 1);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE); /* the children hold it */
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_reason(late), CT_CANCEL_DEADLINE);
	ct_ctx_unref(late);
	ct_ctx_unref(child);
	fixture_fini(&f);
}

Test(ctx_life, work_below_a_context_that_ends_is_tripped_but_not_the_context)
{
	struct ct_ctx *ctx, *child, *grandchild, *late;
	struct ct_ctx_hook own;
	struct witness w;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 20));
	ct_ctx_on_cancel(ctx, &own, nothing);
	child = new_child(ctx, CT_NEVER);
	grandchild = new_child(child, CT_NEVER);
	watch(grandchild, &w);

	cr_assert(ct_ctx_end_with_hook(ctx, &own), "it never ran");

	late = new_child(ctx, CT_NEVER);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(grandchild), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(late), CT_CANCEL_PARENT);
	cr_assert_eq(atomic_load(&w.runs), 1);
	pass_ms(&f, 20);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE);
	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER)); /* by hand it still can be */
	ct_ctx_unref(late);
	ct_ctx_unref(grandchild);
	ct_ctx_unref(child);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_life, a_child_made_below_a_finished_context_is_bound_by_its_deadline)
{
	struct ct_ctx *ctx, *child, *late;

	fixture_init(&f);
	ctx = new_root(&f, in_ms(&f, 20));
	ct_ctx_finish(ctx);
	child = new_child(ctx, CT_NEVER);
	pass_ms(&f, 20);
	late = new_child(ctx, CT_NEVER);
	cr_assert_eq(ct_ctx_reason(child), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_reason(late), CT_CANCEL_DEADLINE);
	cr_assert_eq(ct_ctx_reason(ctx), CT_CANCEL_NONE);
	ct_ctx_unref(late);
	ct_ctx_unref(child);
	ct_ctx_unref(ctx);
	fixture_fini(&f);
}

Test(ctx_life, a_child_made_after_a_cancel_has_passed_a_finished_context_is_tripped)
{
	struct ct_ctx *root, *mid, *leaf;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	mid = new_child(root, CT_NEVER);
	ct_ctx_finish(mid);
	cr_assert(ct_ctx_cancel(root, CT_CANCEL_DRAIN)); /* nothing is below mid yet */
	leaf = new_child(mid, CT_NEVER);
	cr_assert_eq(ct_ctx_reason(leaf), CT_CANCEL_PARENT);
	cr_assert_eq(ct_ctx_reason(mid), CT_CANCEL_NONE);
	cr_assert(ct_ctx_cancel(mid, CT_CANCEL_SIBLING)); /* by hand it still can be */
	cr_assert_eq(ct_ctx_reason(mid), CT_CANCEL_SIBLING);
	ct_ctx_unref(leaf);
	ct_ctx_unref(mid);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx_life, a_cancel_reaches_through_a_finished_context_to_the_work_below)
{
	struct ct_ctx *root, *mid, *leaf;

	fixture_init(&f);
	root = new_root(&f, CT_NEVER);
	mid = new_child(root, CT_NEVER);
	leaf = new_child(mid, CT_NEVER);
	ct_ctx_finish(mid);
	cr_assert(ct_ctx_cancel(root, CT_CANCEL_DRAIN));
	cr_assert_eq(ct_ctx_reason(mid), CT_CANCEL_NONE);
	cr_assert_eq(ct_ctx_reason(leaf), CT_CANCEL_PARENT);
	ct_ctx_unref(leaf);
	ct_ctx_unref(mid);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

/* ---- references --------------------------------------------------------------------------- */

/* A context in memory of ours, as a call has it. */
struct call {
	struct ct_ctx ctx;
	struct ct_ctx_hook hook;
	int released, *turn, place;
};

static void call_release(struct ct_ctx *ctx)
{
	struct call *c = CT_CONTAINER_OF(ctx, struct call, ctx);

	c->released++;
	if (c->turn != NULL)
		c->place = (*c->turn)++;
}

Test(ctx_life, release_runs_once_at_the_last_unref)
{
	struct call c = { .released = 0 };

	fixture_init(&f);
	ct_ctx_init(&c.ctx, NULL, f.timers, in_ms(&f, 5), call_release);
	cr_assert_eq(ct_ctx_ref(&c.ctx), &c.ctx);
	cr_assert_null(ct_ctx_unref(&c.ctx));
	cr_assert_eq(c.released, 0);
	ct_ctx_finish(&c.ctx);
	cr_assert_eq(c.released, 0);
	ct_ctx_unref(&c.ctx);
	cr_assert_eq(c.released, 1);
	fixture_fini(&f);
}

Test(ctx_life, unref_of_null_is_fine)
{
	cr_assert_null(ct_ctx_unref(NULL));
}

Test(ctx_life, the_last_unref_disarms_the_deadline_and_leaves_the_tree)
{
	struct call parent = { .released = 0 }, c = { .released = 0 };

	fixture_init(&f);
	ct_ctx_init(&parent.ctx, NULL, f.timers, CT_NEVER, call_release);
	ct_ctx_init(&c.ctx, &parent.ctx, NULL, in_ms(&f, 5), call_release);
	ct_ctx_unref(&c.ctx);
	memset(&c, 0xa5, sizeof(c)); /* the memory is ours again */
	ct_ctx_cancel(&parent.ctx, CT_CANCEL_CALLER);
	pass_ms(&f, 10);
	for (size_t i = 0; i < sizeof(c); i++)
		cr_assert_eq(((const unsigned char *)&c)[i], 0xa5);
	ct_ctx_unref(&parent.ctx);
	fixture_fini(&f);
}

Test(ctx_life, a_child_holds_its_parent)
{
	int turn = 0;
	struct call parent = { .turn = &turn }, child = { .turn = &turn };

	fixture_init(&f);
	ct_ctx_init(&parent.ctx, NULL, f.timers, CT_NEVER, call_release);
	ct_ctx_init(&child.ctx, &parent.ctx, NULL, CT_NEVER, call_release);
	ct_ctx_unref(&parent.ctx);
	cr_assert_eq(parent.released, 0);
	ct_ctx_finish(&child.ctx);
	cr_assert_eq(parent.released, 0);
	ct_ctx_unref(&child.ctx);
	cr_assert_eq(child.released, 1);
	cr_assert_eq(parent.released, 1);
	cr_assert_lt(child.place, parent.place);
	fixture_fini(&f);
}

static void unref_fn(struct ct_ctx_hook *hook, enum ct_cancel_reason why)
{
	struct call *c = CT_CONTAINER_OF(hook, struct call, hook);

	(void)why;
	ct_ctx_unref(&c->ctx);
}

Test(ctx_life, a_reference_given_up_in_a_childs_hook_does_not_pull_the_tree_away)
{
	struct call parent = { .released = 0 }, child = { .released = 0 };

	fixture_init(&f);
	ct_ctx_init(&parent.ctx, NULL, f.timers, in_ms(&f, 5), call_release);
	ct_ctx_init(&child.ctx, &parent.ctx, NULL, CT_NEVER, call_release);
	ct_ctx_on_cancel(&parent.ctx, &parent.hook, unref_fn);
	ct_ctx_on_cancel(&child.ctx, &child.hook, unref_fn);
	pass_ms(&f, 5); /* both go while they are tripped */
	cr_assert_eq(child.released, 1);
	cr_assert_eq(parent.released, 1);
	fixture_fini(&f);
}

Test(ctx_life, the_same_memory_serves_call_after_call)
{
	struct call c = { .released = 0 };
	struct witness w;

	fixture_init(&f);
	for (int i = 0; i < 1000; i++) {
		ct_ctx_init(&c.ctx, NULL, f.timers, in_ms(&f, (uint32_t)(i % 4)), call_release);
		watch(&c.ctx, &w);
		if (i % 3 == 0)
			pass_ms(&f, 2);
		if (i % 5 == 0)
			ct_ctx_finish(&c.ctx);
		ct_ctx_unref(&c.ctx);
		cr_assert_eq(c.released, i + 1);
	}
	fixture_fini(&f);
}

Test(ctx_life, a_root_and_its_end_allocate_nothing_when_embedded)
{
	struct call c = { .released = 0 };
	uint64_t before;

	fixture_init(&f);
	before = ct_mem_count();
	for (int i = 0; i < 100; i++) {
		ct_ctx_init(&c.ctx, NULL, f.timers, in_ms(&f, 50), call_release);
		ct_ctx_finish(&c.ctx);
		ct_ctx_unref(&c.ctx);
	}
	cr_assert_eq(ct_mem_count(), before);
	fixture_fini(&f);
}

Test(ctx_life, without_memory_there_is_no_context_and_nothing_is_written)
{
	struct ct_ctx *root, *const mark = (struct ct_ctx *)(void *)&f;
	struct ct_ctx *ctx = mark;

	fixture_init(&f);
	ct_mem_fail_nth(1);
	cr_assert_eq(ct_ctx_new_root(f.timers, CT_NEVER, &ctx), CT_RESOURCE_EXHAUSTED);
	root = new_root(&f, CT_NEVER);
	ct_mem_fail_nth(1);
	cr_assert_eq(ct_ctx_with_deadline(root, CT_NEVER, &ctx), CT_RESOURCE_EXHAUSTED);
	ct_mem_fail_nth(1);
	cr_assert_eq(ct_ctx_with_timeout_ms(root, 5, &ctx), CT_RESOURCE_EXHAUSTED);
	cr_assert_eq(ctx, mark);
	ct_ctx_unref(root);
	fixture_fini(&f);
}

Test(ctx_life, one_unref_too_many_is_a_programming_error, .signal = SIGABRT)
{
	struct call c = { .released = 0 };

	fixture_init(&f);
	ct_ctx_init(&c.ctx, NULL, f.timers, CT_NEVER, call_release);
	ct_ctx_unref(&c.ctx);
	ct_ctx_unref(&c.ctx);
}
