/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many threads log, record, count and put into one ring while others read all
 * of it. Checks that nothing is lost or torn: lines written + dropped = lines
 * logged, and each arrives whole; every recording is counted; a ring's record is
 * one writer's, in that writer's order.
 */
#include "base/check.h"
#include "conc/thread.h"
#include "obs/hist.h"
#include "obs/log.h"
#include "obs/log_rate.h"
#include "obs/metrics.h"
#include "obs/ring.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	WRITERS = 4,
	ROUNDS = 20000,
	LOG_EVERY = 10, /* of the rounds */
	LINES = WRITERS * ROUNDS / LOG_EVERY,
	RING_RECORDS = 64,
	TEXT_BYTES = 300,
};

struct record {
	uint64_t writer, i, check; /* check = writer ^ i ^ CHECK_BITS */
};
#define CHECK_BITS UINT64_C(0x5bd1e9955bd1e995)

struct object {
	struct ct_counter rounds;
	struct ct_hist took;
};

static const struct ct_metric_row rows[] = {
	CT_METRIC_COUNTER(struct object, rounds, "ct_stress_rounds_total", NULL, "rounds"),
	CT_METRIC_HIST(struct object, took, "ct_stress_took_us", NULL, "what a round took"),
};

static struct {
	struct ct_log *log;
	struct ct_ring *ring;
	struct ct_metrics metrics;
	struct ct_log_rate rate;
	struct object object;
	int pipe[2];
	atomic_bool stop;
	_Atomic uint64_t passed_rate, held_back;
	/* the reader's, read after it was joined */
	uint64_t lines, bad_lines, reads, bad_records;
} all;

static void *write_all(void *arg)
{
	const uint64_t writer = (uint64_t)(size_t)arg;
	char text[TEXT_BYTES];

	memset(text, 'a' + (int)writer, sizeof(text));
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const struct record r = { writer, i, writer ^ i ^ CHECK_BITS };
		uint64_t held_back;

		ct_ring_put(all.ring, &r);
		ct_hist_record(&all.object.took, i);
		ct_counter_inc(&all.object.rounds);
		if (i % LOG_EVERY == 0)
			CT_LOG(all.log, CT_LOG_INFO, "round", CT_UINT("i", i),
			       CT_STRN("text", text, (size_t)(i % sizeof(text))));
		if (ct_log_rate_pass(&all.rate, ct_now(ct_clock_system()), 1, &held_back)) {
			atomic_fetch_add(&all.passed_rate, 1);
			atomic_fetch_add(&all.held_back, held_back);
		}
	}
	return NULL;
}

/* Whole lines only, each from "ts=" to its newline. */
static void check_lines(const char *text, size_t len, bool *at_begin)
{
	for (size_t i = 0; i < len; i++) {
		if (*at_begin && text[i] != 't')
			all.bad_lines++;
		*at_begin = text[i] == '\n';
		all.lines += text[i] == '\n';
	}
}

static void *read_lines(void *arg)
{
	static char text[65536];
	bool at_begin = true;
	ssize_t n;

	(void)arg;
	while ((n = read(all.pipe[0], text, sizeof(text))) > 0)
		check_lines(text, (size_t)n, &at_begin);
	return NULL;
}

static void check_records(const struct record *r, size_t n)
{
	uint64_t next[WRITERS] = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (r[i].check != (r[i].writer ^ r[i].i ^ CHECK_BITS) || r[i].writer >= WRITERS ||
		    r[i].i < next[r[i].writer]) {
			all.bad_records++;
			continue;
		}
		next[r[i].writer] = r[i].i + 1;
	}
}

static void see_metric(void *arg, const struct ct_metric *metric)
{
	*(uint64_t *)arg += metric->value;
}

/* Everything that looks, while the writers write; and a set that comes and goes. */
static void *read_all(void *arg)
{
	static struct object guest;
	const struct ct_metric_set set = { rows, CT_ARRAY_N(rows), &guest, "who=\"guest\"" };
	struct record records[RING_RECORDS];

	(void)arg;
	while (!atomic_load(&all.stop)) {
		struct ct_log_stats stats;
		uint64_t sum = 0;

		check_records(records, ct_ring_read(all.ring, records, RING_RECORDS));
		CT_CHECK(ct_metrics_add(&all.metrics, &set) == CT_OK);
		ct_metrics_each(&all.metrics, see_metric, &sum);
		ct_metrics_remove(&all.metrics, &set);
		ct_log_stats(all.log, &stats);
		ct_log_set_level(all.log, all.reads % 2 == 0 ? CT_LOG_DEBUG : CT_LOG_INFO);
		(void)!ct_log_flush(all.log, 1); /* late while writers write: that is its answer */
		all.reads++;
	}
	return NULL;
}

static void expect(bool ok, const char *what, unsigned *passed, unsigned *failed)
{
	printf("%s: %s\n", ok ? "ok" : "FAILED", what);
	if (ok)
		++*passed;
	else
		++*failed;
}

static void run(struct ct_log_stats *ret_stats)
{
	const struct ct_metric_set set = { rows, CT_ARRAY_N(rows), &all.object, NULL };
	const struct ct_ring_opts ring_opts = { RING_RECORDS, sizeof(struct record) };
	struct ct_log_opts log_opts = { .service = "stress", .ring_bytes = 32 * 1024 };
	pthread_t writers[WRITERS], lines_reader, reader;

	CT_CHECK(pipe(all.pipe) == 0);
	log_opts.fd = all.pipe[1];
	CT_CHECK(ct_log_new(&log_opts, &all.log) == CT_OK);
	CT_CHECK(ct_ring_new(&ring_opts, &all.ring) == CT_OK);
	ct_metrics_init(&all.metrics);
	CT_CHECK(ct_metrics_add(&all.metrics, &set) == CT_OK);
	CT_CHECK(ct_thread_start(&lines_reader, "lines", read_lines, NULL) == CT_OK);
	CT_CHECK(ct_thread_start(&reader, "reader", read_all, NULL) == CT_OK);
	for (size_t i = 0; i < WRITERS; i++)
		CT_CHECK(ct_thread_start(&writers[i], "writer", write_all, (void *)i) == CT_OK);

	for (size_t i = 0; i < WRITERS; i++)
		ct_thread_join(writers[i]);
	atomic_store(&all.stop, true);
	ct_thread_join(reader);
	CT_CHECK(ct_log_flush(all.log, 10000) == CT_OK);
	ct_log_stats(all.log, ret_stats);
	all.log = ct_log_free(all.log);
	close(all.pipe[1]);
	ct_thread_join(lines_reader);
	close(all.pipe[0]);
	ct_metrics_remove(&all.metrics, &set);
	ct_metrics_fini(&all.metrics);
}

int main(void)
{
	static struct ct_hist_snap snap;
	unsigned passed = 0, failed = 0;
	struct ct_log_stats stats;
	uint64_t held_back;

	run(&stats);
	ct_hist_snapshot(&all.object.took, &snap);
	held_back = atomic_load(&all.held_back) + atomic_load(&all.rate.held_back);
	printf("lines %d: written %lu, dropped %lu, arrived %lu; looked %lu times\n", LINES,
	       (unsigned long)stats.written, (unsigned long)stats.dropped, (unsigned long)all.lines,
	       (unsigned long)all.reads);

	expect(stats.written + stats.dropped == LINES && stats.waiting == 0,
	       "each line was written or counted as dropped", &passed, &failed);
	expect(all.lines >= stats.written, "each written line arrived", &passed, &failed);
	expect(all.lines <= stats.written + stats.dropped,
	       "besides them only notes of dropped lines arrived", &passed, &failed);
	expect(all.bad_lines == 0, "no line is torn", &passed, &failed);
	expect(snap.count == WRITERS * ROUNDS &&
		       snap.sum_us == (uint64_t)WRITERS * ROUNDS * (ROUNDS - 1) / 2 &&
		       snap.max_us == ROUNDS - 1,
	       "each recording is in the histogram", &passed, &failed);
	expect(ct_counter_get(&all.object.rounds) == WRITERS * ROUNDS, "each round is counted",
	       &passed, &failed);
	expect(ct_ring_total(all.ring) == WRITERS * ROUNDS && all.bad_records == 0,
	       "each record of the ring is whole and in order", &passed, &failed);
	expect(atomic_load(&all.passed_rate) + held_back == WRITERS * ROUNDS,
	       "each message passed or was held back", &passed, &failed);
	all.ring = ct_ring_free(all.ring);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
