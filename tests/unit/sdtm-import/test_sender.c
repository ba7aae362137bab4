/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "conc/thread.h"
#include "sdtm-import/sender.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

TestSuite(sender, .fini = leak_check, .timeout = 60);

enum { CALLS_MAX = 64 };

/* A service that answers as told: call n gets answers[n], the last one for ever. */
struct service {
	struct sdtm_sender *sender;
	ct_status answers[8];
	size_t answers_n;
	uint32_t retry_after_ms;
	bool final;
	/* item i of call n: its code, when not OK it is REJECTED with it */
	ct_status (*item_code)(uint32_t call, uint32_t item);
	bool hold; /* keep calls, answered by release_all() */
	struct sdtm_batch *held[CALLS_MAX];
	uint32_t held_n, held_most;
	/* what it saw */
	uint32_t calls;
	uint32_t call_items[CALLS_MAX];
	ct_instant call_at[CALLS_MAX];
	uint64_t fates[SDTM_FATES_N], rows[SDTM_FATES_N];
	char message[160];
	uint32_t ticks_left; /* tick says stop when they are used up; 0: never */
};

static void answer(struct service *v, struct sdtm_batch *b, uint32_t call)
{
	const size_t last = v->answers_n > 0 ? v->answers_n - 1 : 0;

	b->status = v->answers_n == 0 ? CT_OK : v->answers[call < last ? call : last];
	b->retry_after_ms = v->retry_after_ms;
	b->final = v->final;
	snprintf(b->message, sizeof(b->message), "so it is");
	for (uint32_t i = 0; i < b->items_n; i++) {
		const ct_status code = v->item_code != NULL ? v->item_code(call, i) : CT_OK;

		b->outcomes[i] = (struct sdtm_outcome){
			.fate = code == CT_OK ? SDTM_CREATED : SDTM_REJECTED,
			.code = code,
			.message = "this one",
		};
	}
	sdtm_sender_done(v->sender, b);
}

static void start(void *arg, struct sdtm_batch *b)
{
	struct service *v = arg;
	const uint32_t call = v->calls++;

	CT_CHECK(call < CALLS_MAX);
	v->call_items[call] = b->items_n;
	v->call_at[call] = ct_now(ct_clock_system());
	if (!v->hold) {
		answer(v, b, call);
		return;
	}
	v->held[v->held_n++] = b;
	v->held_most = v->held_n > v->held_most ? v->held_n : v->held_most;
}

static void settled(void *arg, const struct sdtm_item *item, const struct sdtm_outcome *o)
{
	struct service *v = arg;

	v->fates[o->fate]++;
	v->rows[o->fate] += item->rows_n;
	if (o->fate == SDTM_REJECTED)
		snprintf(v->message, sizeof(v->message), "%s", o->message);
}

static bool tick(void *arg)
{
	struct service *v = arg;

	if (v->hold && v->held_n > 0) { /* everybody waits: let the oldest go */
		struct sdtm_batch *b = v->held[0];

		memmove(v->held, v->held + 1, --v->held_n * sizeof(v->held[0]));
		answer(v, b, 0);
	}
	return v->ticks_left == 0 || --v->ticks_left > 0;
}

static void begin(struct service *v, uint32_t concurrency, uint32_t batch, uint32_t retry_ms)
{
	const struct sdtm_sender_opts opts = {
		.concurrency = concurrency,
		.batch_items = batch,
		.batch_bytes = 4096,
		.retry_ms = retry_ms,
		.arg = v,
		.start = start,
		.settled = settled,
		.tick = tick,
	};

	cr_assert_eq(sdtm_sender_new(&opts, &v->sender), CT_OK);
}

static struct sdtm_item *item_of(enum sdtm_table_id id, uint32_t rows)
{
	static ProtobufCMessage msg; /* nobody looks at it */
	struct sdtm_item *item = sdtm_item_new(sdtm_table(id));

	cr_assert_not_null(item);
	item->msg = &msg;
	for (uint32_t i = 0; i < rows; i++)
		cr_assert(sdtm_item_add_line(item, i + 2));
	item->bytes = 100;
	return item;
}

static ct_status put_n(struct service *v, enum sdtm_table_id id, uint32_t n)
{
	ct_status st = CT_OK;

	for (uint32_t i = 0; i < n; i++)
		st = sdtm_sender_put(v->sender, item_of(id, 2));
	return st;
}

Test(sender, gathers_items_into_batches_and_settles_each_once)
{
	struct service v = { .calls = 0 };

	begin(&v, 4, 10, 1000);
	cr_assert_eq(put_n(&v, SDTM_AE, 25), CT_OK);
	cr_assert_eq(v.calls, 2);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.calls, 3);
	cr_assert_eq(v.call_items[2], 5);
	cr_assert_eq(v.fates[SDTM_CREATED], 25);
	cr_assert_eq(v.rows[SDTM_CREATED], 50);
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, batch_holds_one_table_and_so_many_bytes)
{
	struct service v = { .calls = 0 };

	begin(&v, 4, 1000, 1000);
	cr_assert_eq(put_n(&v, SDTM_AE, 3), CT_OK);
	cr_assert_eq(put_n(&v, SDTM_CM, 42), CT_OK); /* 41 items reach 4096 bytes */
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.calls, 3);
	cr_assert_eq(v.call_items[0], 3);
	cr_assert_eq(v.call_items[1], 41);
	cr_assert_eq(v.call_items[2], 1);
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, keeps_no_more_calls_going_than_it_may)
{
	struct service v = { .hold = true };

	begin(&v, 3, 1, 1000);
	cr_assert_eq(put_n(&v, SDTM_AE, 12), CT_OK);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.held_most, 3);
	cr_assert_eq(v.fates[SDTM_CREATED], 12);
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, what_a_busy_service_refuses_is_sent_again_not_before_its_hint)
{
	struct service v = {
		.answers = { CT_RESOURCE_EXHAUSTED, CT_UNAVAILABLE, CT_DEADLINE_EXCEEDED, CT_OK },
		.answers_n = 4,
		.retry_after_ms = 120,
	};

	begin(&v, 2, 10, 10000);
	cr_assert_eq(put_n(&v, SDTM_AE, 10), CT_OK);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.calls, 4);
	cr_assert_geq(ct_instant_us_between(v.call_at[0], v.call_at[1]), 120 * 1000);
	cr_assert_eq(v.fates[SDTM_CREATED], 10);
	v.sender = sdtm_sender_free(v.sender);
}

static ct_status second_half_busy(uint32_t call, uint32_t item)
{
	if (call > 0)
		return CT_OK;
	return item < 3 ? CT_OK : item == 3 ? CT_INVALID_ARGUMENT : CT_UNAVAILABLE;
}

Test(sender, of_a_batch_stored_in_part_only_the_rest_is_sent_again)
{
	struct service v = { .item_code = second_half_busy };

	begin(&v, 2, 10, 10000);
	cr_assert_eq(put_n(&v, SDTM_AE, 10), CT_OK);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.calls, 2);
	cr_assert_eq(v.call_items[1], 6);
	cr_assert_eq(v.fates[SDTM_CREATED], 9);
	cr_assert_eq(v.fates[SDTM_REJECTED], 1, "a bad item is not sent again");
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, refusal_that_cannot_pass_rejects_the_batch_and_work_goes_on)
{
	struct service v = { .answers = { CT_INVALID_ARGUMENT, CT_OK }, .answers_n = 2 };

	begin(&v, 1, 5, 10000);
	cr_assert_eq(put_n(&v, SDTM_AE, 10), CT_OK);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);

	cr_assert_eq(v.calls, 2);
	cr_assert_eq(v.fates[SDTM_REJECTED], 5);
	cr_assert_eq(v.fates[SDTM_CREATED], 5);
	cr_assert_str_eq(v.message, "INVALID_ARGUMENT: so it is");
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, service_in_trouble_ends_it_and_no_item_is_to_blame)
{
	static const ct_status troubles[] = {
		CT_UNKNOWN,  CT_PERMISSION_DENIED, CT_FAILED_PRECONDITION, CT_UNIMPLEMENTED,
		CT_INTERNAL, CT_DATA_LOSS,         CT_UNAUTHENTICATED,
	};

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		struct service v = { .answers = { troubles[i] }, .answers_n = 1 };
		char why[80];

		begin(&v, 1, 5, 60000);
		(void)put_n(&v, SDTM_AE, 10);
		cr_assert_eq(sdtm_sender_drain(v.sender), troubles[i]);

		cr_assert_eq(v.calls, 1, "%s", ct_status_name(troubles[i]));
		cr_assert_eq(v.fates[SDTM_LEFT], 10);
		snprintf(why, sizeof(why), "%s: so it is, after 1 attempt",
			 ct_status_name(troubles[i]));
		cr_assert_str_eq(sdtm_sender_why(v.sender), why);
		v.sender = sdtm_sender_free(v.sender);
	}
}

Test(sender, absent_service_ends_it_after_the_time_given_and_every_item_is_left)
{
	struct service v = { .answers = { CT_UNAVAILABLE }, .answers_n = 1 };
	const ct_instant began = ct_now(ct_clock_system());
	ct_status st;

	begin(&v, 2, 5, 300);
	st = put_n(&v, SDTM_AE, 30);
	if (st == CT_OK)
		st = sdtm_sender_drain(v.sender);

	cr_assert_eq(st, CT_UNAVAILABLE);
	cr_assert_leq(ct_instant_us_between(began, ct_now(ct_clock_system())), 5 * 1000 * 1000);
	cr_assert_gt(v.calls, 2, "it was tried more than once");
	sdtm_sender_stop(v.sender);
	cr_assert_eq(v.fates[SDTM_LEFT], 30);
	cr_assert_not_null(strstr(sdtm_sender_why(v.sender), "UNAVAILABLE: so it is, after"));
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, service_that_says_do_not_come_back_is_believed)
{
	struct service v = { .answers = { CT_UNAVAILABLE }, .answers_n = 1, .final = true };

	begin(&v, 1, 1, 60000);
	(void)put_n(&v, SDTM_AE, 1);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_UNAVAILABLE);

	cr_assert_eq(v.calls, 1);
	cr_assert_eq(v.fates[SDTM_LEFT], 1);
	v.sender = sdtm_sender_free(v.sender);
}

Test(sender, tick_that_says_stop_leaves_the_rest_and_accepts_no_more)
{
	struct service v = { .answers = { CT_RESOURCE_EXHAUSTED },
			     .answers_n = 1,
			     .ticks_left = 2 };

	begin(&v, 1, 1, 60000);
	(void)put_n(&v, SDTM_AE, 1);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_CANCELLED);
	cr_assert_eq(sdtm_sender_put(v.sender, item_of(SDTM_AE, 1)), CT_CANCELLED);

	cr_assert_eq(v.fates[SDTM_LEFT], 2);
	cr_assert_str_eq(sdtm_sender_why(v.sender), "interrupted");
	v.sender = sdtm_sender_free(v.sender);
}

/* Answers from a thread of its own, as the runtime does. */
static void *answer_later(void *arg)
{
	struct service *v = arg;

	for (uint32_t i = 0; i < v->held_n; i++)
		answer(v, v->held[i], i);
	return NULL;
}

static bool never_tick(void *arg)
{
	(void)arg;
	return true;
}

Test(sender, answers_may_come_from_another_thread_while_it_waits)
{
	struct service v = { .hold = true };
	const struct sdtm_sender_opts opts = {
		.concurrency = 8,
		.batch_items = 2,
		.batch_bytes = 4096,
		.retry_ms = 1000,
		.arg = &v,
		.start = start,
		.settled = settled,
		.tick = never_tick,
	};
	pthread_t thread;

	cr_assert_eq(sdtm_sender_new(&opts, &v.sender), CT_OK);
	cr_assert_eq(put_n(&v, SDTM_AE, 16), CT_OK);
	cr_assert_eq(ct_thread_start(&thread, "answers", answer_later, &v), CT_OK);
	cr_assert_eq(sdtm_sender_drain(v.sender), CT_OK);
	ct_thread_join(thread);

	cr_assert_eq(v.fates[SDTM_CREATED], 16);
	v.sender = sdtm_sender_free(v.sender);
}
