/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/sender.h"

#include "base/check.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "conc/lock.h"

#include <stdio.h>
#include <string.h>

enum { BACKOFF_FIRST_MS = 50, BACKOFF_MAX_MS = 2000, TICK_MS = 100 };

struct sdtm_sender {
	/* fixed after new */
	struct sdtm_sender_opts opts;
	/* the putting thread's */
	struct sdtm_batch *gathering; /* NULL: nothing yet */
	struct ct_list waiting;       /* to be sent again */
	uint32_t waiting_n, in_flight;
	ct_status over; /* OK while going on */
	char why[256];

	struct ct_lock lock; /* rank APP; protects what follows */
	struct ct_cond wake; /* a batch was done */
	struct ct_list done;
};

ct_status sdtm_sender_new(const struct sdtm_sender_opts *opts, struct sdtm_sender **ret_sender)
{
	struct sdtm_sender *s = ct_mem_zalloc(1, sizeof(*s));

	if (s == NULL)
		return CT_RESOURCE_EXHAUSTED;
	s->opts = *opts;
	if (s->opts.clk == NULL)
		s->opts.clk = ct_clock_system();
	ct_list_init(&s->waiting);
	ct_list_init(&s->done);
	ct_lock_init(&s->lock, CT_RANK_APP);
	ct_cond_init(&s->wake);
	*ret_sender = s;
	return CT_OK;
}

struct sdtm_sender *sdtm_sender_free(struct sdtm_sender *s)
{
	if (s == NULL)
		return NULL;
	CT_CHECK(s->in_flight == 0 && s->waiting_n == 0 && s->gathering == NULL);
	ct_cond_fini(&s->wake);
	ct_lock_fini(&s->lock);
	ct_mem_free(s);
	return NULL;
}

const char *sdtm_sender_why(const struct sdtm_sender *s)
{
	return s->why;
}

bool sdtm_may_pass(ct_status st)
{
	return st == CT_UNAVAILABLE || st == CT_RESOURCE_EXHAUSTED || st == CT_DEADLINE_EXCEEDED ||
	       st == CT_ABORTED || st == CT_CANCELLED;
}

/* The items are at fault, so others may fare better. Anything else is the
 * service's trouble or ours, and would meet whatever is sent. */
static bool items_fault(ct_status st)
{
	return st == CT_INVALID_ARGUMENT || st == CT_NOT_FOUND || st == CT_ALREADY_EXISTS ||
	       st == CT_OUT_OF_RANGE;
}

static void settle(struct sdtm_sender *s, struct sdtm_item *item, const struct sdtm_outcome *o)
{
	s->opts.settled(s->opts.arg, item, o);
	(void)sdtm_item_free(item);
}

/* Every item of the batch ends alike. */
static void settle_all(struct sdtm_sender *s, struct sdtm_batch *b, enum sdtm_fate fate)
{
	struct sdtm_outcome o = { .fate = fate, .code = b->status };

	if (fate == SDTM_REJECTED) {
		const int n = snprintf(o.message, sizeof(o.message),
				       "%.20s: ", ct_status_name(b->status));

		(void)ct_text_show(o.message + n, sizeof(o.message) - (size_t)n, b->message);
	}
	for (uint32_t i = 0; i < b->items_n; i++)
		settle(s, b->items[i], &o);
	b->items_n = 0;
	(void)sdtm_batch_free(b);
}

static void give_up(struct sdtm_sender *s, struct sdtm_batch *b)
{
	if (s->over == CT_OK) {
		s->over = b->status;
		snprintf(s->why, sizeof(s->why), "%s: %s, after %u attempt%s",
			 ct_status_name(b->status),
			 b->message[0] != '\0' ? b->message : ct_status_text(b->status),
			 b->attempts, b->attempts == 1 ? "" : "s");
	}
	settle_all(s, b, SDTM_LEFT);
}

/* Doubled each time, ±20 %, never before the server's hint. */
static uint32_t backoff_ms(const struct sdtm_batch *b)
{
	uint32_t ms = BACKOFF_MAX_MS;

	if (b->attempts < 7)
		ms = (uint32_t)BACKOFF_FIRST_MS << (b->attempts - 1);
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	ms = ms * 4 / 5 + (uint32_t)(ct_random_u64() % (ms * 2 / 5 + 1));
	return ms > b->retry_after_ms ? ms : b->retry_after_ms;
}

static void send_later(struct sdtm_sender *s, struct sdtm_batch *b)
{
	const ct_instant now = ct_now(s->opts.clk);

	b->resend_at = ct_instant_add_us(now, (uint64_t)backoff_ms(b) * 1000);
	if (s->over != CT_OK || b->resend_at.ns > b->give_up.ns) {
		give_up(s, b);
		return;
	}
	ct_list_push_back(&s->waiting, &b->link);
	s->waiting_n++;
}

/* The call went well; some of its items may not have. */
static void settle_each(struct sdtm_sender *s, struct sdtm_batch *b)
{
	bool again = false;

	for (uint32_t i = 0; i < b->items_n; i++) {
		const struct sdtm_outcome *o = &b->outcomes[i];

		if (o->fate == SDTM_REJECTED && sdtm_may_pass(o->code)) {
			b->status = o->code;
			snprintf(b->message, sizeof(b->message), "%s", o->message);
			again = true;
		} else {
			settle(s, b->items[i], o);
			b->items[i] = NULL;
		}
	}
	if (again) {
		sdtm_batch_retain(b);
		send_later(s, b);
	} else {
		b->items_n = 0;
		(void)sdtm_batch_free(b);
	}
}

static void finish(struct sdtm_sender *s, struct sdtm_batch *b)
{
	CT_CHECK(s->in_flight > 0);
	s->in_flight--;
	if (b->status == CT_OK)
		settle_each(s, b);
	else if (items_fault(b->status))
		settle_all(s, b, SDTM_REJECTED);
	else if (sdtm_may_pass(b->status) && !b->final)
		send_later(s, b);
	else
		give_up(s, b);
}

void sdtm_sender_done(struct sdtm_sender *s, struct sdtm_batch *b)
{
	ct_lock_acquire(&s->lock);
	ct_list_push_back(&s->done, &b->link);
	ct_cond_signal(&s->wake);
	ct_lock_release(&s->lock);
}

static void take_done(struct sdtm_sender *s)
{
	struct ct_list mine, *l;

	ct_list_init(&mine);
	ct_lock_acquire(&s->lock);
	ct_list_splice_back(&mine, &s->done);
	ct_lock_release(&s->lock);
	while ((l = ct_list_pop_front(&mine)) != NULL)
		finish(s, CT_CONTAINER_OF(l, struct sdtm_batch, link));
}

static void start(struct sdtm_sender *s, struct sdtm_batch *b)
{
	b->attempts++;
	b->status = CT_OK;
	b->retry_after_ms = 0;
	b->final = false;
	b->message[0] = '\0';
	s->in_flight++;
	s->opts.start(s->opts.arg, b);
}

/* Sends what is due. Returns when to look again. */
static ct_instant resend_due(struct sdtm_sender *s)
{
	const ct_instant now = ct_now(s->opts.clk);
	ct_instant next = ct_instant_add_us(now, TICK_MS * 1000);
	struct ct_list *l = s->waiting.next;

	while (l != &s->waiting) {
		struct sdtm_batch *b = CT_CONTAINER_OF(l, struct sdtm_batch, link);

		l = l->next;
		if (s->over != CT_OK || b->resend_at.ns <= now.ns) {
			ct_list_remove(&b->link);
			s->waiting_n--;
			if (s->over != CT_OK)
				settle_all(s, b, SDTM_LEFT);
			else
				start(s, b);
		} else {
			next = ct_deadline_sooner(next, b->resend_at);
		}
	}
	return next;
}

/* Until at most `max` batches are on their way. */
static void wait_for(struct sdtm_sender *s, uint32_t max)
{
	for (;;) {
		ct_instant next;

		take_done(s);
		next = resend_due(s);
		if (s->in_flight + s->waiting_n <= max)
			return;
		if (s->over == CT_OK && !s->opts.tick(s->opts.arg)) {
			s->over = CT_CANCELLED;
			snprintf(s->why, sizeof(s->why), "interrupted");
			continue;
		}
		ct_lock_acquire(&s->lock);
		if (ct_list_empty(&s->done))
			(void)ct_cond_wait_until(&s->wake, &s->lock, next); /* early is fine */
		ct_lock_release(&s->lock);
	}
}

/* Makes the batch that gathers a call. */
static void flush(struct sdtm_sender *s)
{
	struct sdtm_batch *b = s->gathering;

	if (b == NULL)
		return;
	wait_for(s, s->opts.concurrency - 1);
	s->gathering = NULL;
	if (s->over != CT_OK) {
		settle_all(s, b, SDTM_LEFT);
		return;
	}
	b->give_up = ct_instant_add_us(ct_now(s->opts.clk), (uint64_t)s->opts.retry_ms * 1000);
	start(s, b);
}

ct_status sdtm_sender_put(struct sdtm_sender *s, struct sdtm_item *item)
{
	const struct sdtm_outcome left = { .fate = SDTM_LEFT, .code = CT_UNAVAILABLE };

	if (s->gathering != NULL && s->gathering->table != item->table)
		flush(s);
	if (s->over == CT_OK && s->gathering == NULL)
		s->gathering = sdtm_batch_new(item->table, s->opts.batch_items);
	if (s->over == CT_OK && s->gathering == NULL) {
		s->over = CT_RESOURCE_EXHAUSTED;
		snprintf(s->why, sizeof(s->why), "out of memory");
	}
	if (s->over != CT_OK) {
		settle(s, item, &left);
		return s->over;
	}
	sdtm_batch_add(s->gathering, item);
	if (s->gathering->items_n == s->gathering->items_cap ||
	    s->gathering->bytes >= s->opts.batch_bytes)
		flush(s);
	return s->over;
}

ct_status sdtm_sender_drain(struct sdtm_sender *s)
{
	flush(s);
	wait_for(s, 0);
	return s->over;
}

void sdtm_sender_stop(struct sdtm_sender *s)
{
	if (s->over == CT_OK) {
		s->over = CT_CANCELLED;
		snprintf(s->why, sizeof(s->why), "interrupted");
	}
	flush(s); /* over: nothing more is sent */
	wait_for(s, 0);
}
