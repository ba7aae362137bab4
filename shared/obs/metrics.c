/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/metrics.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

void ct_metrics_init(struct ct_metrics *m)
{
	memset(m, 0, sizeof(*m));
	ct_lock_init(&m->lock, CT_RANK_METRICS);
	ct_cond_init(&m->idle);
}

void ct_metrics_fini(struct ct_metrics *m)
{
	CT_CHECK(m->sets_n == 0);
	CT_CHECK(m->readers == 0);
	ct_cond_fini(&m->idle);
	ct_lock_fini(&m->lock);
}

ct_status ct_metrics_add(struct ct_metrics *m, const struct ct_metric_set *set)
{
	ct_status st = CT_RESOURCE_EXHAUSTED;

	ct_lock_acquire(&m->lock);
	if (m->sets_n < CT_METRIC_SETS_MAX) {
		m->sets[m->sets_n++] = set;
		st = CT_OK;
	}
	ct_lock_release(&m->lock);
	return st;
}

void ct_metrics_remove(struct ct_metrics *m, const struct ct_metric_set *set)
{
	unsigned i = 0;

	ct_lock_acquire(&m->lock);
	while (i < m->sets_n && m->sets[i] != set)
		i++;
	CT_CHECK(i < m->sets_n); /* it was added */
	m->sets_n--;
	memmove(&m->sets[i], &m->sets[i + 1], (m->sets_n - i) * sizeof(m->sets[0]));
	while (m->readers > 0)
		ct_cond_wait(&m->idle, &m->lock);
	ct_lock_release(&m->lock);
}

static void visit(const struct ct_metric_set *set, const struct ct_metric_row *row,
		  ct_metric_fn *fn, void *arg)
{
	const void *at = (const char *)set->base + row->offset;
	struct ct_metric metric = { .set = set, .row = row };
	struct ct_hist_snap snap;

	if (row->read != NULL) {
		metric.value = row->read(set->base);
	} else if (row->kind == CT_METRIC_KIND_HIST) {
		ct_hist_snapshot(at, &snap);
		metric.value = snap.count;
		metric.hist = &snap;
	} else {
		metric.value = ct_counter_get(at);
	}
	fn(arg, &metric);
}

void ct_metrics_each(struct ct_metrics *m, ct_metric_fn *fn, void *arg)
{
	const struct ct_metric_set *sets[CT_METRIC_SETS_MAX];
	unsigned n;

	ct_lock_acquire(&m->lock);
	n = m->sets_n;
	memcpy(sets, m->sets, n * sizeof(sets[0]));
	m->readers++;
	ct_lock_release(&m->lock);

	for (unsigned i = 0; i < n; i++) {
		for (size_t row_i = 0; row_i < sets[i]->rows_n; row_i++)
			visit(sets[i], &sets[i]->rows[row_i], fn, arg);
	}

	ct_lock_acquire(&m->lock);
	if (--m->readers == 0)
		ct_cond_broadcast(&m->idle);
	ct_lock_release(&m->lock);
}

void ct_metric_full_name(const struct ct_metric *metric, char out[CT_METRIC_NAME_SIZE])
{
	const char *of_set = metric->set->labels != NULL ? metric->set->labels : "";
	const char *of_row = metric->row->labels != NULL ? metric->row->labels : "";
	const char *comma = of_set[0] != '\0' && of_row[0] != '\0' ? "," : "";

	if (of_set[0] == '\0' && of_row[0] == '\0')
		(void)snprintf(out, CT_METRIC_NAME_SIZE, "%s", metric->row->name);
	else
		(void)snprintf(out, CT_METRIC_NAME_SIZE, "%s{%s%s%s}", metric->row->name, of_set,
			       comma, of_row);
}
