/* SPDX-License-Identifier: Apache-2.0 */
/* What a server tells of its calls: in its log, to Explain, and to Stats. */
#include "base/check.h"
#include "tests/lib/leak_check.h"
#include "tests/lib/rpc/ask.h"
#include "tests/lib/rpc/hall.h"
#include "tests/lib/rpc/raw.h"

#include "ct/v1/runtime.ct.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(rpc_told, .fini = leak_check, .timeout = 60);

enum { PATIENT_MS = 20000, FLUSH_MS = 15000, LOG_BYTES_MAX = 1 << 16 };

/* A hall with one worker that keeps its log in memory, and a client that does not log. */
struct scene {
	struct hall h;
	struct ct_log *log;
	int log_fd;
	struct ct_runtime rt;
	struct ct_client *c;
	char text[LOG_BYTES_MAX]; /* of the log, as read_log() has it */
};

static void start_hall(struct scene *s)
{
	const struct hall_opts o = { .server = { .workers = 1 }, .standard = true };
	struct ct_runtime_opts ro = { .service = "hall" };

	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	cr_assert_geq(s->log_fd, 0);
	cr_assert_eq(ct_log_new(&(struct ct_log_opts){ .fd = s->log_fd }, &s->log), CT_OK);
	ro.log = s->log;
	ct_lock_init(&s->h.lock, CT_RANK_APP);
	ct_cond_init(&s->h.changed);
	cr_assert_eq(ct_runtime_init(&s->h.rt, &ro), CT_OK);
	cr_assert_eq(hall_start_on(&s->h, &o), CT_OK);
}

static struct scene *set_up(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	cr_assert_not_null(s);
	start_hall(s);
	cr_assert_eq(ct_runtime_init(&s->rt, &(struct ct_runtime_opts){ .service = "test" }),
		     CT_OK);
	s->c = client_of(&s->rt, hall_url(&s->h));
	return s;
}

static void tear_down(struct scene *s)
{
	s->c = ct_client_free(s->c);
	ct_runtime_fini(&s->rt);
	cr_assert(hall_stop(&s->h), "the accounting identity does not hold");
	s->log = ct_log_free(s->log);
	cr_assert_eq(close(s->log_fd), 0);
	free(s);
}

static void read_log(struct scene *s)
{
	ssize_t n;

	cr_assert_eq(ct_log_flush(s->log, FLUSH_MS), CT_OK);
	n = pread(s->log_fd, s->text, sizeof(s->text) - 1, 0);
	cr_assert_geq(n, 0);
	s->text[n] = '\0';
}

static bool one_has_ended(void *arg)
{
	struct scene *s = arg;

	read_log(s);
	return strstr(s->text, "msg=\"call ended\"") != NULL;
}

/* ---- calls that never ran ---------------------------------------------------------------- */

static void expect_explained(struct scene *s, const char *trace_id, const char *end_state)
{
	Ct__V1__ExplainRequest req = CT__V1__EXPLAIN_REQUEST__INIT;
	const Ct__V1__ExplainResponse *resp;
	struct ct_reply reply;

	ct_reply_init(&reply);
	req.trace_id = (char *)(uintptr_t)trace_id;
	cr_assert_eq(runtime_explain(s->c, NULL, &req, &reply, &resp), CT_OK);
	cr_assert_eq(resp->n_records, 1);
	cr_assert_str_eq(resp->records[0]->end_state, end_state);
	cr_assert_str_eq(resp->records[0]->trace_id, trace_id);
	ct_reply_fini(&reply);
}

Test(rpc_told, call_that_ended_in_the_queue_is_told_under_its_trace)
{
	const struct ct_trace trace = { .trace_id = ct_id_new(), .span_id = 42 };
	char hex[CT_ID_HEX_SIZE], field[CT_ID_HEX_SIZE + 8];
	struct ct_ctx *ctx = NULL;
	struct scene *s = set_up();
	struct ask held, queued;

	ask_init(&held, PATIENT_MS);
	ask_start(&held, s->c, &hall_hold_method);
	cr_assert(hall_waited(&s->h, &s->h.entered, 1));
	cr_assert_eq(ct_ctx_new_root(s->rt.timers, CT_NEVER, &ctx), CT_OK);
	ct_ctx_set_trace(ctx, trace);
	ask_init(&queued, PATIENT_MS);
	queued.parent = ctx;
	ask_start(&queued, s->c, &hall_hold_method);
	cr_assert(hall_settled(&s->h, pick_queued, 1));

	cr_assert(ct_ctx_cancel(ctx, CT_CANCEL_CALLER));

	cr_assert(ask_wait(&queued));
	cr_assert(until(one_has_ended, s));
	ct_id_to_hex(&trace.trace_id, hex);
	(void)snprintf(field, sizeof(field), "trace=%s", hex);
	cr_assert_not_null(strstr(s->text, field), "%s", s->text);
	expect_explained(s, hex, "expired");
	hall_let_go(&s->h, HALL_ALL);
	cr_assert(ask_wait(&held));
	ask_fini(&held);
	ask_fini(&queued);
	ct_ctx_unref(ctx);
	tear_down(s);
}

/* How many calls of the method were refused, by Stats. */
static uint64_t refused_of(struct scene *s, const struct ct_method *m)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__StatsResponse *resp;
	struct ct_reply reply;
	uint64_t n = 0;

	ct_reply_init(&reply);
	cr_assert_eq(runtime_stats(s->c, NULL, &req, &reply, &resp), CT_OK);
	for (size_t i = 0; i < resp->n_methods; i++)
		if (strcmp(resp->methods[i]->method, m->name) == 0)
			n += resp->methods[i]->refused;
	ct_reply_fini(&reply);
	return n;
}

Test(rpc_told, call_that_was_refused_is_told_under_its_trace_and_counted_by_method)
{
	static uint8_t payload[256];
	const struct ct_trace trace = { .trace_id = ct_id_new(), .span_id = 42 };
	char hex[CT_ID_HEX_SIZE];
	struct ct_ctx *ctx = NULL;
	struct scene *s = set_up();
	struct ask a;

	cr_assert_eq(ct_ctx_new_root(s->rt.timers, CT_NEVER, &ctx), CT_OK);
	ct_ctx_set_trace(ctx, trace);
	ask_init(&a, PATIENT_MS);
	a.parent = ctx;
	a.req.payload = (ProtobufCBinaryData){ sizeof(payload), payload };

	cr_assert_eq(ask_now(&a, s->c, &hall_tell_small_method), CT_RESOURCE_EXHAUSTED);

	ct_id_to_hex(&trace.trace_id, hex);
	expect_explained(s, hex, "refused");
	cr_assert_eq(refused_of(s, &hall_tell_small_method), 1);
	cr_assert_eq(refused_of(s, &hall_tell_method), 0);
	ask_fini(&a);
	ct_ctx_unref(ctx);
	tear_down(s);
}

/* ---- callers with names of their own ----------------------------------------------------- */

Test(rpc_told, name_of_a_caller_is_kept_as_text_that_may_be_shown)
{
	/* Byte 47, the last one kept, is the first half of a character. */
	static const char name[] = "\x1b[2J\xff.ééééééééééééééééééééééééé";
	static const char kept[] = "?[2J?.éééééééééééééééééééé";
	Ct__V1__ExplainRequest req = CT__V1__EXPLAIN_REQUEST__INIT;
	const Ct__V1__ExplainResponse *resp;
	struct scene *s = set_up();
	struct ct_client *stranger;
	struct ct_reply reply;
	struct ct_runtime rt;

	cr_assert_eq(ct_runtime_init(&rt, &(struct ct_runtime_opts){ .service = name }), CT_OK);
	stranger = client_of(&rt, hall_url(&s->h));
	ct_reply_init(&reply);
	req.trace_id = (char *)(uintptr_t) "none";
	cr_assert_eq(runtime_explain(stranger, NULL, &req, &reply, &resp), CT_INVALID_ARGUMENT);
	req.trace_id = (char *)(uintptr_t) "";
	cr_assert_eq(runtime_explain(s->c, NULL, &req, &reply, &resp), CT_OK);

	cr_assert_eq(resp->n_records, 1);
	cr_assert_str_eq(resp->records[0]->caller, kept);
	ct_reply_fini(&reply);
	stranger = ct_client_free(stranger);
	ct_runtime_fini(&rt);
	tear_down(s);
}

/* ---- counters ------------------------------------------------------------------------------ */

static uint64_t counter(struct scene *s, const char *name)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__StatsResponse *resp;
	uint64_t value = UINT64_MAX;
	struct ct_reply reply;

	ct_reply_init(&reply);
	cr_assert_eq(runtime_stats(s->c, NULL, &req, &reply, &resp), CT_OK);
	for (size_t i = 0; i < resp->n_counters; i++)
		if (strcmp(resp->counters[i]->name, name) == 0)
			value = resp->counters[i]->value;
	ct_reply_fini(&reply);
	return value;
}

Test(rpc_told, stats_count_messages_over_the_limit)
{
	enum { BIG = 5 << 20, AROUND = 256 };
	const struct ct_wire_header h = raw_call_header(hall_tell_method.hash, 20000000);
	uint8_t *zeros = calloc(1, BIG), *frame = calloc(1, BIG + AROUND);
	struct scene *s = set_up();
	struct raw_msg m;
	struct raw r;

	cr_assert(zeros != NULL && frame != NULL);
	r = raw_join(hall_url(&s->h));
	cr_assert_eq(counter(s, "net_msgs_too_big"), 0);

	cr_assert(raw_write(
		&r, frame,
		raw_frame(&r, 1, &h, CT_BYTES_NONE, ct_bytes_of(zeros, BIG), frame, BIG + AROUND)));
	cr_assert(raw_receive(&r, &m));

	cr_assert_eq(counter(s, "net_msgs_too_big"), 1);
	cr_assert_eq(counter(s, "net_too_big"), 0);
	free(zeros);
	free(frame);
	raw_close(&r);
	tear_down(s);
}
