/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/store/store_internal.h"

#include "base/mem.h"
#include "clinic/store/open.h"
#include "report-svc/domain/visit.h"
#include "report-svc/store/migrations.h"

ct_status rsvc_store_open(const struct ct_store_opts *opts, struct ct_store_why *why,
			  struct rsvc_store **ret_store)
{
	struct rsvc_store *s = ct_mem_zalloc(1, sizeof(*s));
	struct ct_store_opts base = *opts;
	ct_status st = CT_RESOURCE_EXHAUSTED;

	if (s != NULL)
		st = clinic_table_init(&s->visits, "visits", &rsvc_visit_fields);
	if (st == CT_OK) {
		/* a page begins behind its token or, when it has none, before all */
		s->list_visits = clinic_table_select(
			&s->visits,
			"WHERE usubjid = $1 AND ($2 = '' OR study_id = $2)"
			" AND ($3 = 1 OR (visit_num, start_dtc, study_id) > ($4, $5, $6))"
			" ORDER BY visit_num, start_dtc, study_id LIMIT $7");
		st = s->list_visits != NULL ? CT_OK : CT_RESOURCE_EXHAUSTED;
	}
	if (st == CT_OK) {
		base.migrations = rsvc_migrations;
		base.migrations_n = RSVC_MIGRATIONS_N;
		base.application_id = RSVC_APPLICATION_ID;
		st = clinic_store_open(&base, why, &s->base);
	}
	if (st != CT_OK) {
		s = rsvc_store_free(s);
		return st;
	}
	*ret_store = s;
	return CT_OK;
}

struct rsvc_store *rsvc_store_free(struct rsvc_store *s)
{
	if (s == NULL)
		return NULL;
	s->base = ct_store_free(s->base); /* first: its statements go by our texts */
	ct_mem_free(s->list_visits);
	clinic_table_fini(&s->visits);
	ct_mem_free(s);
	return NULL;
}

struct ct_store *rsvc_store_base(const struct rsvc_store *s)
{
	return s->base;
}
