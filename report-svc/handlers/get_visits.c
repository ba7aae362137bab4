/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/handlers/handlers.h"

#include "clinic/domain/page_token.h"
#include "clinic/handlers/fail.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_CHARS_MAX = 64, KEY_PARTS = 3 /* visit_num, start_dtc, study_id */ };

struct lookup {
	struct rsvc *app;
	struct ct_call *call;
	struct rsvc_visits_query query;
	Clinic__V1__Visit **list;
	size_t n;
	bool more;
};

static ct_status run(struct ct_db *db, void *arg)
{
	struct lookup *l = arg;

	return rsvc_store_visits(l->app->store, db, &l->query, ct_call_arena(l->call), &l->list,
				 &l->n, &l->more);
}

/* What a token of this list is bound to. */
static uint32_t query_id(const Clinic__V1__GetVisitsRequest *req)
{
	uint32_t id = CLINIC_PAGE_QUERY;

	id = clinic_page_query_add(id, "GetVisits");
	id = clinic_page_query_add(id, req->usubjid);
	return clinic_page_query_add(id, req->study_id);
}

/* A token of ours holds the number in hexadecimal, which loses nothing. */
static bool read_token(const char *token, uint32_t id, struct clinic_page_key *ret_key,
		       double *ret_num)
{
	char *end;

	if (clinic_page_token_read(token, id, KEY_PARTS, ret_key) != CT_OK)
		return false;
	*ret_num = strtod(ret_key->part[0], &end);
	return end != ret_key->part[0] && *end == '\0';
}

static void answer(const struct lookup *l, uint32_t id)
{
	Clinic__V1__GetVisitsResponse resp = CLINIC__V1__GET_VISITS_RESPONSE__INIT;
	struct clinic_page_key key = { .n = 0 };
	char token[CLINIC_PAGE_TOKEN_SIZE], num[40];

	resp.visits = l->list;
	resp.n_visits = l->n;
	if (l->more) {
		const Clinic__V1__Visit *last = l->list[l->n - 1];

		(void)snprintf(num, sizeof(num), "%a", last->visit_num);
		if (!clinic_page_key_add(&key, num) ||
		    !clinic_page_key_add(&key, last->start_dtc) ||
		    !clinic_page_key_add(&key, last->study_id)) {
			ct_call_fail(l->call, CT_INTERNAL, "a stored key is too long");
			return;
		}
		clinic_page_token_write(id, &key, token);
		resp.next_token = token;
	}
	report_get_visits_reply(l->call, &resp);
}

void rsvc_get_visits(struct ct_call *call, const Clinic__V1__GetVisitsRequest *req)
{
	struct lookup l = { .app = ct_call_impl(call), .call = call };
	const struct rsvc_limits *limits = &l.app->limits;
	const uint32_t id = query_id(req);
	struct ct_store_why why = { "" };
	struct clinic_page_key after = { .n = 0 };
	double after_num = 0;
	ct_status st;

	if (!clinic_arg_ok(call, "usubjid", req->usubjid, KEY_CHARS_MAX, true) ||
	    !clinic_arg_ok(call, "study_id", req->study_id, KEY_CHARS_MAX, false))
		return;
	l.query = (struct rsvc_visits_query){
		.usubjid = req->usubjid,
		.study_id = req->study_id,
		.from_start = req->page == NULL || req->page->token[0] == '\0',
		.max = clinic_page_size(req->page != NULL ? req->page->size : 0, limits->page_size,
					limits->page_size_max),
	};
	if (!l.query.from_start && !read_token(req->page->token, id, &after, &after_num)) {
		ct_call_fail(call, CT_INVALID_ARGUMENT, "page.token is not of this list");
		return;
	}
	l.query.after_num = after_num;
	l.query.after_dtc = after.part[1];
	l.query.after_study_id = after.part[2];
	st = ct_store_read(rsvc_store_base(l.app->store), ct_call_ctx(call), run, &l, &why);
	if (st == CT_OK)
		answer(&l, id);
	else
		clinic_store_failed(call, l.app->log, st, why.text);
}
