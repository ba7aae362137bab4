/* SPDX-License-Identifier: Apache-2.0 */
#include "report-svc/handlers/handlers.h"

#include "clinic/domain/iso_date.h"
#include "clinic/domain/page_token.h"
#include "clinic/handlers/fail.h"
#include "report-svc/domain/report.h"
#include "rpc/codec.h"

enum { KEY_CHARS_MAX = 64, CATEGORY_CHARS_MAX = 100, KEY_PARTS = 2 /* effective_dtc, report_id */ };

struct lookup {
	struct rsvc *app;
	struct ct_call *call;
	struct rsvc_reports_query query;
	char since[CLINIC_DATE_SIZE];
	Clinic__V1__DiagnosticReport **list; /* query.max of them */
	size_t n, bytes;
	bool more;
};

/* One report of the store. CT_OUT_OF_RANGE: the page is full. */
static ct_status add_report(const struct rsvc_report_row *row, void *arg)
{
	struct lookup *l = arg;
	ProtobufCMessage *msg;
	ct_status st;

	l->bytes += row->body.len + 24; /* tag, length and version at their largest */
	if (l->n == l->query.max || (l->n > 0 && l->bytes > l->app->limits.reply_bytes_max)) {
		l->more = true;
		return CT_OUT_OF_RANGE;
	}
	st = ct_codec_unpack(&clinic__v1__diagnostic_report__descriptor, row->body,
			     ct_call_arena(l->call), &msg);
	if (st == CT_INVALID_ARGUMENT)
		return CT_DATA_LOSS; /* it was packed by us */
	if (st != CT_OK)
		return st;
	l->list[l->n] = (Clinic__V1__DiagnosticReport *)msg;
	l->list[l->n++]->version = row->version;
	return CT_OK;
}

static ct_status run(struct ct_db *db, void *arg)
{
	struct lookup *l = arg;
	const ct_status st = rsvc_store_reports(db, &l->query, add_report, l);

	return st == CT_OUT_OF_RANGE && l->more ? CT_OK : st;
}

/* What a token of this list is bound to. */
static uint32_t query_id(const Clinic__V1__GetReportsRequest *req, uint32_t kinds)
{
	uint32_t id = CLINIC_PAGE_QUERY;

	id = clinic_page_query_add(id, "GetReports");
	id = clinic_page_query_add(id, req->usubjid);
	id = clinic_page_query_add(id, req->study_id);
	id = clinic_page_query_add(id, req->since);
	id = clinic_page_query_add_int(id, kinds);
	for (size_t i = 0; i < req->n_categories; i++)
		id = clinic_page_query_add(id, req->categories[i]);
	return id;
}

/* False: the call has ended. */
static bool args_ok(struct ct_call *call, const Clinic__V1__GetReportsRequest *req,
		    uint32_t *ret_kinds)
{
	const char *fault = req->since[0] != '\0' ? clinic_date_fault(req->since) : NULL;

	if (!clinic_arg_ok(call, "usubjid", req->usubjid, KEY_CHARS_MAX, true) ||
	    !clinic_arg_ok(call, "study_id", req->study_id, KEY_CHARS_MAX, false))
		return false;
	for (size_t i = 0; i < req->n_categories && i < RSVC_CATEGORIES_MAX; i++)
		if (!clinic_arg_ok(call, "categories", req->categories[i], CATEGORY_CHARS_MAX,
				   false))
			return false;
	if (fault != NULL)
		ct_call_fail(call, CT_INVALID_ARGUMENT, "since %s", fault);
	else if (req->n_categories > RSVC_CATEGORIES_MAX)
		ct_call_fail(call, CT_INVALID_ARGUMENT, "more than %d categories",
			     RSVC_CATEGORIES_MAX);
	else if (!rsvc_report_kinds(req->kinds, req->n_kinds, ret_kinds))
		ct_call_fail(call, CT_INVALID_ARGUMENT, "kinds has one that does not exist");
	else
		return true;
	return false;
}

static bool fill_lookup(struct lookup *l, const Clinic__V1__GetReportsRequest *req, uint32_t kinds)
{
	const struct rsvc_limits *limits = &l->app->limits;

	l->since[0] = '\0'; /* nothing is earlier */
	if (req->since[0] != '\0')
		clinic_date_first(req->since, l->since);
	l->query = (struct rsvc_reports_query){
		.usubjid = req->usubjid,
		.study_id = req->study_id,
		.kinds = kinds,
		.categories = (const char *const *)req->categories,
		.categories_n = req->n_categories,
		.since = l->since,
		.after_dtc = "",
		.after_id = "",
		.max = clinic_page_size(req->page != NULL ? req->page->size : 0, limits->page_size,
					limits->page_size_max),
	};
	l->list = ct_arena_alloc(ct_call_arena(l->call), l->query.max * sizeof(l->list[0]));
	return l->list != NULL;
}

static void answer(const struct lookup *l, uint32_t id)
{
	Clinic__V1__GetReportsResponse resp = CLINIC__V1__GET_REPORTS_RESPONSE__INIT;
	struct clinic_page_key key = { .n = 0 };
	char token[CLINIC_PAGE_TOKEN_SIZE];

	resp.reports = l->list;
	resp.n_reports = l->n;
	if (l->more) {
		const Clinic__V1__DiagnosticReport *last = l->list[l->n - 1];

		if (!clinic_page_key_add(&key, last->effective_dtc) ||
		    !clinic_page_key_add(&key, last->report_id)) {
			ct_call_fail(l->call, CT_INTERNAL, "a stored key is too long");
			return;
		}
		clinic_page_token_write(id, &key, token);
		resp.next_token = token;
	}
	report_get_reports_reply(l->call, &resp);
}

void rsvc_get_reports(struct ct_call *call, const Clinic__V1__GetReportsRequest *req)
{
	struct lookup l = { .app = ct_call_impl(call), .call = call };
	struct ct_store_why why = { "" };
	struct clinic_page_key after;
	uint32_t kinds, id;
	ct_status st;

	if (!args_ok(call, req, &kinds))
		return;
	if (!fill_lookup(&l, req, kinds)) {
		ct_call_fail(call, CT_RESOURCE_EXHAUSTED, "no memory for the page");
		return;
	}
	id = query_id(req, kinds);
	if (req->page != NULL && req->page->token[0] != '\0') {
		if (clinic_page_token_read(req->page->token, id, KEY_PARTS, &after) != CT_OK) {
			ct_call_fail(call, CT_INVALID_ARGUMENT, "page.token is not of this list");
			return;
		}
		l.query.after_dtc = after.part[0];
		l.query.after_id = after.part[1];
	}
	st = ct_store_read(rsvc_store_base(l.app->store), ct_call_ctx(call), run, &l, &why);
	if (st == CT_OK)
		answer(&l, id);
	else
		clinic_store_failed(call, l.app->log, st, why.text);
}
