/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_METRICS_H
#define CT_OBS_METRICS_H

#include "base/attrs.h"
#include "base/status.h"
#include "conc/lock.h"
#include "obs/hist.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is counted. A module keeps its counters in its own struct and describes
 * them in one constant table; an object registers itself with that table, and
 * whoever exports (ct.v1.Runtime/Stats) walks the registry.
 *
 *   struct pool_metrics { struct ct_counter refused[2]; };
 *   static const struct ct_metric_row rows[] = {
 *           CT_METRIC_COUNTER(struct pool_metrics, refused[1], "ct_pool_refused_total",
 *                             "lane=\"batch\"", "tasks refused because the lane was full"),
 *   };
 */
struct ct_counter {
	_Atomic uint64_t v; /* relaxed: a statistic, orders nothing */
};

static inline void ct_counter_add(struct ct_counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(&c->v, n, memory_order_relaxed);
}

static inline void ct_counter_inc(struct ct_counter *c)
{
	ct_counter_add(c, 1);
}

/* For gauges alone: what was added before. */
static inline void ct_counter_sub(struct ct_counter *c, uint64_t n)
{
	atomic_fetch_sub_explicit(&c->v, n, memory_order_relaxed);
}

static inline uint64_t ct_counter_get(const struct ct_counter *c)
{
	return atomic_load_explicit(&c->v, memory_order_relaxed);
}

enum ct_metric_kind {
	CT_METRIC_KIND_COUNTER, /* only grows; name ends in _total */
	CT_METRIC_KIND_GAUGE,
	CT_METRIC_KIND_HIST, /* a struct ct_hist; name ends in _us */
};

struct ct_metric_row {
	const char *name;   /* ct_<noun>_<what>[_total|_us] */
	const char *labels; /* lane="batch", values from tables; NULL: none */
	const char *help;
	enum ct_metric_kind kind;
	size_t offset;                      /* of the counter or histogram in the object */
	uint64_t (*read)(const void *base); /* not NULL: asks the object instead; may take locks */
};

#define CT_METRIC_ROW_(s, f, type, kind_, name_, labels_, help_)                        \
	{                                                                               \
		.name = (name_), .labels = (labels_), .help = (help_), .kind = (kind_), \
		.offset = offsetof(s, f) + 0 * sizeof(*(1 ? &((s *)0)->f : (type *)0)), \
	}
#define CT_METRIC_COUNTER(s, f, name, labels, help) \
	CT_METRIC_ROW_(s, f, struct ct_counter, CT_METRIC_KIND_COUNTER, name, labels, help)
#define CT_METRIC_GAUGE(s, f, name, labels, help) \
	CT_METRIC_ROW_(s, f, struct ct_counter, CT_METRIC_KIND_GAUGE, name, labels, help)
#define CT_METRIC_HIST(s, f, name, labels, help) \
	CT_METRIC_ROW_(s, f, struct ct_hist, CT_METRIC_KIND_HIST, name, labels, help)
/* A value that lives elsewhere: fn(base) tells it. */
#define CT_METRIC_READ(fn, kind_, name_, labels_, help_)                                \
	{                                                                               \
		.name = (name_), .labels = (labels_), .help = (help_), .kind = (kind_), \
		.read = (fn)                                                            \
	}

/* An object and the table that describes it. The caller's, until removed. */
struct ct_metric_set {
	const struct ct_metric_row *rows;
	size_t rows_n;
	const void *base;
	const char *labels; /* put before each row's: peer="report-svc"; NULL: none */
};

enum { CT_METRIC_SETS_MAX = 64 };

/* Any thread. Fields are private to metrics.c. */
struct ct_metrics {
	struct ct_lock lock; /* rank METRICS; protects everything below */
	struct ct_cond idle; /* readers became 0 */
	const struct ct_metric_set *sets[CT_METRIC_SETS_MAX];
	unsigned sets_n;
	unsigned readers;
};

void ct_metrics_init(struct ct_metrics *m);
void ct_metrics_fini(struct ct_metrics *m); /* every set was removed */

/* RESOURCE_EXHAUSTED: CT_METRIC_SETS_MAX sets are registered. */
CT_MUST_USE ct_status ct_metrics_add(struct ct_metrics *m, const struct ct_metric_set *set);

/* Waits for walks that run; after it returns the object may go. The set must have been
 * added. Not from a walk. */
void ct_metrics_remove(struct ct_metrics *m, const struct ct_metric_set *set);

/* One value, borrowed until the callback returns. */
struct ct_metric {
	const struct ct_metric_set *set;
	const struct ct_metric_row *row;
	uint64_t value;                  /* of a HIST: its count */
	const struct ct_hist_snap *hist; /* NULL but for a HIST */
};
typedef void(ct_metric_fn)(void *arg, const struct ct_metric *metric);

/* Calls fn for each row of each set, in the order of adding, on this thread with
 * no lock held. Each value is read once; together they are not one instant. */
void ct_metrics_each(struct ct_metrics *m, ct_metric_fn *fn, void *arg);

enum { CT_METRIC_NAME_SIZE = 256 };

/* name{labels} with its NUL, as much of it as fits: ct_pool_refused_total{lane="batch"} */
void ct_metric_full_name(const struct ct_metric *metric, char out[CT_METRIC_NAME_SIZE]);

#endif
