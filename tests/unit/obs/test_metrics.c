/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/metrics.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SEEN_MAX = 16 };

struct lane_metrics {
	struct ct_counter refused[2];
	struct ct_counter queued;
	struct ct_hist wait;
	uint64_t elsewhere;
};

static uint64_t read_elsewhere(const void *base)
{
	return ((const struct lane_metrics *)base)->elsewhere;
}

static const struct ct_metric_row rows[] = {
	CT_METRIC_COUNTER(struct lane_metrics, refused[0], "ct_pool_refused_total",
			  "lane=\"interactive\"", "tasks refused because the lane was full"),
	CT_METRIC_COUNTER(struct lane_metrics, refused[1], "ct_pool_refused_total",
			  "lane=\"batch\"", "tasks refused because the lane was full"),
	CT_METRIC_GAUGE(struct lane_metrics, queued, "ct_pool_queued", NULL, "tasks waiting"),
	CT_METRIC_HIST(struct lane_metrics, wait, "ct_pool_wait_us", NULL, "time in the queue"),
	CT_METRIC_READ(read_elsewhere, CT_METRIC_KIND_GAUGE, "ct_elsewhere", NULL, "asked for"),
};

struct seen {
	unsigned n;
	struct {
		char name[CT_METRIC_NAME_SIZE];
		uint64_t value;
		uint64_t p50_us;
	} v[SEEN_MAX];
};

static void see(void *arg, const struct ct_metric *metric)
{
	struct seen *s = arg;

	ct_lock_check_none(); /* the walk calls out without a lock */
	cr_assert_lt(s->n, SEEN_MAX);
	ct_metric_full_name(metric, s->v[s->n].name);
	s->v[s->n].value = metric->value;
	s->v[s->n].p50_us = metric->hist != NULL ? ct_hist_percentile_us(metric->hist, 0.5) : 0;
	s->n++;
}

TestSuite(metrics, .fini = leak_check, .timeout = 60);

Test(metrics, a_walk_shows_each_row_of_each_set_with_its_value)
{
	static struct lane_metrics lane;
	const struct ct_metric_set set = { rows, CT_ARRAY_N(rows), &lane, NULL };
	struct ct_metrics m;
	struct seen seen = { .n = 0 };

	ct_metrics_init(&m);
	cr_assert_eq(ct_metrics_add(&m, &set), CT_OK);
	ct_counter_inc(&lane.refused[0]);
	ct_counter_add(&lane.refused[1], 5);
	ct_counter_add(&lane.queued, 9);
	ct_counter_sub(&lane.queued, 2);
	ct_hist_record(&lane.wait, 20);
	ct_hist_record(&lane.wait, 20);
	lane.elsewhere = 77;

	ct_metrics_each(&m, see, &seen);

	cr_assert_eq(seen.n, CT_ARRAY_N(rows));
	cr_assert_str_eq(seen.v[0].name, "ct_pool_refused_total{lane=\"interactive\"}");
	cr_assert_eq(seen.v[0].value, 1);
	cr_assert_str_eq(seen.v[1].name, "ct_pool_refused_total{lane=\"batch\"}");
	cr_assert_eq(seen.v[1].value, 5);
	cr_assert_str_eq(seen.v[2].name, "ct_pool_queued");
	cr_assert_eq(seen.v[2].value, 7);
	cr_assert_eq(seen.v[3].value, 2);
	cr_assert_eq(seen.v[3].p50_us, 20);
	cr_assert_eq(seen.v[4].value, 77);
	ct_metrics_remove(&m, &set);
	ct_metrics_fini(&m);
}

Test(metrics, the_labels_of_a_set_stand_before_those_of_its_rows)
{
	static struct lane_metrics a, b;
	const struct ct_metric_set set_a = { rows, 1, &a, "peer=\"a\"" };
	const struct ct_metric_set set_b = { &rows[2], 1, &b, "peer=\"b\"" };
	struct ct_metrics m;
	struct seen seen = { .n = 0 };

	ct_metrics_init(&m);
	cr_assert_eq(ct_metrics_add(&m, &set_a), CT_OK);
	cr_assert_eq(ct_metrics_add(&m, &set_b), CT_OK);
	ct_metrics_each(&m, see, &seen);

	cr_assert_eq(seen.n, 2);
	cr_assert_str_eq(seen.v[0].name, "ct_pool_refused_total{peer=\"a\",lane=\"interactive\"}");
	cr_assert_str_eq(seen.v[1].name, "ct_pool_queued{peer=\"b\"}");
	ct_metrics_remove(&m, &set_a);
	ct_metrics_remove(&m, &set_b);
	ct_metrics_fini(&m);
}

Test(metrics, a_removed_set_is_not_shown)
{
	static struct lane_metrics a, b, c;
	const struct ct_metric_set set_a = { rows, 1, &a, "set=\"a\"" };
	const struct ct_metric_set set_b = { rows, 2, &b, "set=\"b\"" };
	const struct ct_metric_set set_c = { rows, 1, &c, "set=\"c\"" };
	struct ct_metrics m;
	struct seen seen = { .n = 0 };

	ct_metrics_init(&m);
	cr_assert_eq(ct_metrics_add(&m, &set_a), CT_OK);
	cr_assert_eq(ct_metrics_add(&m, &set_b), CT_OK);
	cr_assert_eq(ct_metrics_add(&m, &set_c), CT_OK);
	ct_metrics_remove(&m, &set_b);
	ct_metrics_each(&m, see, &seen);

	cr_assert_eq(seen.n, 2);
	cr_assert_not_null(strstr(seen.v[0].name, "set=\"a\""));
	cr_assert_not_null(strstr(seen.v[1].name, "set=\"c\""));
	ct_metrics_remove(&m, &set_a);
	ct_metrics_remove(&m, &set_c);
	ct_metrics_fini(&m);
}

Test(metrics, the_sets_have_a_limit)
{
	static struct lane_metrics lane;
	struct ct_metric_set sets[CT_METRIC_SETS_MAX + 1];
	struct ct_metrics m;

	ct_metrics_init(&m);
	for (unsigned i = 0; i <= CT_METRIC_SETS_MAX; i++)
		sets[i] = (struct ct_metric_set){ rows, 1, &lane, NULL };
	for (unsigned i = 0; i < CT_METRIC_SETS_MAX; i++)
		cr_assert_eq(ct_metrics_add(&m, &sets[i]), CT_OK);

	cr_assert_eq(ct_metrics_add(&m, &sets[CT_METRIC_SETS_MAX]), CT_RESOURCE_EXHAUSTED);

	for (unsigned i = 0; i < CT_METRIC_SETS_MAX; i++)
		ct_metrics_remove(&m, &sets[i]);
	ct_metrics_fini(&m);
}

Test(metrics, a_name_that_is_too_long_is_cut_not_overrun)
{
	char labels[2 * CT_METRIC_NAME_SIZE];
	char out[CT_METRIC_NAME_SIZE];
	const struct ct_metric_set set = { rows, 1, NULL, labels };
	const struct ct_metric metric = { .set = &set, .row = &rows[2] };

	memset(labels, 'x', sizeof(labels) - 1);
	labels[sizeof(labels) - 1] = '\0';
	ct_metric_full_name(&metric, out);

	cr_assert_eq(strlen(out), CT_METRIC_NAME_SIZE - 1);
}
