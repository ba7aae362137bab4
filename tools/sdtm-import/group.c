/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/group.h"

#include "base/check.h"
#include "base/mem.h"
#include "sdtm-import/keymap.h"
#include "sdtm-import/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, RESULTS_FIRST = 8 };

const struct sdtm_group_limits sdtm_group_limits_default = {
	.reports_max = 4 * 1000 * 1000,
	.rows_held_max = 100 * 1000,
	.bytes_held_max = 128 * 1024 * 1024,
	.report_rows_max = 500,
	.report_bytes_max = 1024 * 1024,
};

/* A report that waits for rows. */
struct group {
	struct ct_list bucket, age; /* links */
	struct sdtm_key digest;
	struct sdtm_report_key key; /* text lives in the item */
	struct sdtm_item *item;
	Clinic__V1__DiagnosticReport *report;
	size_t results_cap;
	size_t bytes; /* its share of bytes_held */
};

struct sdtm_groups {
	const struct sdtm_table *table;
	struct sdtm_group_limits limits;
	sdtm_item_fn *fn;
	void *arg;
	struct sdtm_keymap *counts; /* rows to come, and parts made << 32 */
	struct ct_list by_key[BUCKETS];
	struct ct_list by_age; /* the oldest first */
	uint32_t rows_held;
	size_t bytes_held;
};

struct sdtm_groups *sdtm_groups_new(const struct sdtm_table *table,
				    const struct sdtm_group_limits *limits, sdtm_item_fn *fn,
				    void *arg)
{
	struct sdtm_groups *g = ct_mem_zalloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->counts = sdtm_keymap_new(limits->reports_max);
	if (g->counts == NULL) {
		ct_mem_free(g);
		return NULL;
	}
	g->table = table;
	g->limits = *limits;
	g->fn = fn;
	g->arg = arg;
	for (size_t i = 0; i < BUCKETS; i++)
		ct_list_init(&g->by_key[i]);
	ct_list_init(&g->by_age);
	return g;
}

static void group_free(struct group *gr)
{
	ct_list_remove(&gr->bucket);
	ct_list_remove(&gr->age);
	(void)sdtm_item_free(gr->item);
	ct_mem_free(gr);
}

static struct group *oldest(struct sdtm_groups *g)
{
	return ct_list_empty(&g->by_age) ? NULL
					 : CT_CONTAINER_OF(g->by_age.next, struct group, age);
}

struct sdtm_groups *sdtm_groups_free(struct sdtm_groups *g)
{
	struct group *gr;

	if (g == NULL)
		return NULL;
	while ((gr = oldest(g)) != NULL)
		group_free(gr);
	(void)sdtm_keymap_free(g->counts);
	ct_mem_free(g);
	return NULL;
}

static struct sdtm_key digest_of(const struct sdtm_report_key *key)
{
	struct sdtm_key digest;
	char visit[32] = "";

	if (key->has_visit)
		snprintf(visit, sizeof(visit), "%.15g", key->visit_num);
	sdtm_key_init(&digest);
	sdtm_key_add(&digest, key->study_id);
	sdtm_key_add(&digest, key->usubjid);
	sdtm_key_add(&digest, key->category);
	sdtm_key_add(&digest, visit);
	sdtm_key_add(&digest, key->dtc);
	return digest;
}

/* The key's counts; a new key has none. */
static ct_status counts_of(struct sdtm_groups *g, const struct sdtm_key *digest,
			   uint64_t **ret_counts)
{
	bool fresh;

	*ret_counts = sdtm_keymap_put(g->counts, digest, &fresh);
	if (*ret_counts != NULL)
		return CT_OK;
	return sdtm_keymap_n(g->counts) == g->limits.reports_max ? CT_OUT_OF_RANGE
								 : CT_RESOURCE_EXHAUSTED;
}

ct_status sdtm_groups_expect(struct sdtm_groups *g, struct sdtm_row *row)
{
	struct sdtm_report_key key;
	struct sdtm_key digest;
	uint64_t *counts;
	ct_status st;

	if (row->spoiled || !sdtm_map_report_key(row, &key))
		return CT_OK; /* the second pass says so */
	digest = digest_of(&key);
	st = counts_of(g, &digest, &counts);
	if (st == CT_OK && (uint32_t)*counts < UINT32_MAX)
		*counts += 1;
	return st;
}

static bool same(const struct sdtm_report_key *x, const struct sdtm_report_key *y)
{
	return x->has_visit == y->has_visit && x->visit_num <= y->visit_num &&
	       x->visit_num >= y->visit_num && strcmp(x->usubjid, y->usubjid) == 0 &&
	       strcmp(x->dtc, y->dtc) == 0 && strcmp(x->category, y->category) == 0 &&
	       strcmp(x->study_id, y->study_id) == 0;
}

/* Compared by its text: a digest never decides whose result it is. */
static struct group *find(struct sdtm_groups *g, const struct sdtm_key *digest,
			  const struct sdtm_report_key *key)
{
	struct ct_list *head = &g->by_key[digest->a % BUCKETS];

	for (struct ct_list *l = head->next; l != head; l = l->next) {
		struct group *gr = CT_CONTAINER_OF(l, struct group, bucket);

		if (gr->digest.a == digest->a && gr->digest.b == digest->b && same(&gr->key, key))
			return gr;
	}
	return NULL;
}

/* An empty report. NULL: memory, or the row is spoiled. */
static struct group *open_group(struct sdtm_groups *g, const struct sdtm_key *digest,
				const struct sdtm_report_key *key, struct sdtm_row *row)
{
	struct group *gr = ct_mem_zalloc(1, sizeof(*gr));

	if (gr == NULL)
		return NULL;
	ct_list_init(&gr->bucket);
	ct_list_init(&gr->age);
	gr->digest = *digest;
	gr->item = sdtm_item_new(g->table);
	if (gr->item == NULL)
		goto fail;
	row->mem = &gr->item->mem;
	gr->report = sdtm_map_report(row, key);
	if (gr->report == NULL)
		goto fail;
	gr->key = *key;
	gr->key.study_id = gr->report->study_id;
	gr->key.usubjid = gr->report->usubjid;
	gr->key.category = gr->report->category;
	gr->key.dtc = gr->report->effective_dtc;
	gr->item->msg = &gr->report->base;
	ct_list_push_back(&g->by_key[digest->a % BUCKETS], &gr->bucket);
	ct_list_push_back(&g->by_age, &gr->age);
	return gr;
fail:
	group_free(gr);
	return NULL;
}

static bool append_result(struct group *gr, Clinic__V1__Observation *o, uint64_t line)
{
	Clinic__V1__DiagnosticReport *r = gr->report;

	if (r->n_results == gr->results_cap) {
		const size_t cap = gr->results_cap > 0 ? 2 * gr->results_cap : RESULTS_FIRST;
		Clinic__V1__Observation **results = ct_arena_alloc(
			&gr->item->mem, cap * sizeof(Clinic__V1__Observation *));

		if (results == NULL)
			return false;
		if (r->n_results > 0)
			memcpy(results, r->results, r->n_results * sizeof(*results));
		r->results = results;
		gr->results_cap = cap;
	}
	if (!sdtm_item_add_line(gr->item, line))
		return false;
	r->results[r->n_results++] = o;
	return true;
}

/* The order of the file must not matter. */
static int by_seq(const void *x, const void *y)
{
	const Clinic__V1__Observation *const *a = x;
	const Clinic__V1__Observation *const *b = y;

	if ((*a)->seq != (*b)->seq)
		return (*a)->seq < (*b)->seq ? -1 : 1;
	return strcmp((*a)->testcd, (*b)->testcd);
}

/* Hands the report on and forgets it. */
static ct_status emit(struct sdtm_groups *g, struct group *gr)
{
	struct sdtm_item *item = gr->item;
	uint64_t *counts;
	ct_status st;

	CT_CHECK(gr->report->n_results > 0 && item->rows_n == gr->report->n_results);
	st = counts_of(g, &gr->digest, &counts);
	if (st != CT_OK)
		return st;
	*counts += UINT64_C(1) << 32;
	gr->report->report_id = sdtm_report_id(&item->mem, g->table, &gr->key,
					       (uint32_t)(*counts >> 32));
	if (gr->report->report_id == NULL)
		return CT_RESOURCE_EXHAUSTED;
	qsort(gr->report->results, gr->report->n_results, sizeof(Clinic__V1__Observation *),
	      by_seq);
	sdtm_item_seal(item);
	g->rows_held -= item->rows_n;
	g->bytes_held -= gr->bytes;
	gr->item = NULL; /* fn's */
	group_free(gr);
	return g->fn(g->arg, item);
}

ct_status sdtm_groups_finish(struct sdtm_groups *g)
{
	ct_status st = CT_OK;
	struct group *gr;

	while (st == CT_OK && (gr = oldest(g)) != NULL)
		st = emit(g, gr);
	return st;
}

static bool too_large(const struct sdtm_groups *g, const struct group *gr)
{
	return gr->item->rows_n >= g->limits.report_rows_max ||
	       gr->item->mem.taken_bytes >= g->limits.report_bytes_max;
}

/* The row into its report, which is opened if need be. NULL: it went nowhere. */
static struct group *place(struct sdtm_groups *g, const struct sdtm_key *digest,
			   const struct sdtm_report_key *key, struct sdtm_row *row)
{
	Clinic__V1__Observation *o = NULL;
	struct group *gr = NULL;
	size_t before = 0;

	if (!sdtm_map_is_result(row)) /* before it leaves half of itself in the report's memory */
		return NULL;
	gr = find(g, digest, key);
	if (gr == NULL)
		gr = open_group(g, digest, key, row);
	else
		before = gr->item->mem.taken_bytes;
	if (gr == NULL)
		return NULL;
	row->mem = &gr->item->mem;
	o = g->table->id == SDTM_LB ? sdtm_map_lb(row) : sdtm_map_vs(row);
	if (o == NULL || !append_result(gr, o, row->csv->line)) {
		if (gr->item->rows_n == 0)
			group_free(gr); /* opened for this row, holds nothing */
		return NULL;
	}
	g->rows_held++;
	gr->bytes += gr->item->mem.taken_bytes - before;
	g->bytes_held += gr->item->mem.taken_bytes - before;
	return gr;
}

ct_status sdtm_groups_add(struct sdtm_groups *g, struct sdtm_row *row)
{
	struct sdtm_report_key key;
	struct sdtm_key digest;
	struct group *gr;
	uint64_t *counts;
	bool whole;
	ct_status st;

	row->mem = NULL; /* the key is only compared */
	if (row->spoiled || !sdtm_map_report_key(row, &key))
		return CT_OK;
	digest = digest_of(&key);
	st = counts_of(g, &digest, &counts);
	if (st != CT_OK)
		return st;
	if ((uint32_t)*counts > 0)
		*counts -= 1;
	whole = (uint32_t)*counts == 0;

	gr = place(g, &digest, &key, row);
	if (gr == NULL && !row->spoiled)
		return CT_RESOURCE_EXHAUSTED;
	if (gr == NULL)
		gr = whole ? find(g, &digest, &key) : NULL; /* the last row was a bad one */
	if (gr != NULL && (whole || too_large(g, gr)))
		return emit(g, gr);
	if (g->rows_held >= g->limits.rows_held_max || g->bytes_held >= g->limits.bytes_held_max)
		return sdtm_groups_finish(g);
	return CT_OK;
}
