/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/handlers/handlers.h"

#include "clinic/domain/page_token.h"
#include "clinic/handlers/fail.h"
#include "patient-svc/domain/detail.h"

enum { TEXT_CHARS_MAX = 100, KEY_PARTS = 2 /* study_id, usubjid */ };

struct search {
	struct psvc *app;
	struct ct_call *call;
	struct psvc_search query;
	Clinic__V1__Patient **list;
	size_t n;
	bool more;
};

static ct_status run(struct ct_db *db, void *arg)
{
	struct search *s = arg;

	return psvc_store_search(s->app->store, db, &s->query, ct_call_arena(s->call), &s->list,
				 &s->n, &s->more);
}

/* What a token of this search is bound to. */
static uint32_t query_id(const Clinic__V1__SearchPatientsRequest *req)
{
	uint32_t id = CLINIC_PAGE_QUERY;

	id = clinic_page_query_add(id, "SearchPatients");
	id = clinic_page_query_add(id, req->study_id);
	id = clinic_page_query_add(id, req->site_id);
	id = clinic_page_query_add_int(id, req->status);
	id = clinic_page_query_add(id, req->arm_cd);
	return clinic_page_query_add(id, req->text);
}

/* False: the call has ended. */
static bool args_ok(struct ct_call *call, const Clinic__V1__SearchPatientsRequest *req)
{
	if (!clinic_arg_ok(call, "study_id", req->study_id, PSVC_KEY_CHARS_MAX, false) ||
	    !clinic_arg_ok(call, "site_id", req->site_id, PSVC_KEY_CHARS_MAX, false) ||
	    !clinic_arg_ok(call, "arm_cd", req->arm_cd, PSVC_KEY_CHARS_MAX, false) ||
	    !clinic_arg_ok(call, "text", req->text, TEXT_CHARS_MAX, false))
		return false;
	if (protobuf_c_enum_descriptor_get_value(&clinic__v1__patient__status__descriptor,
						 (int)req->status) != NULL)
		return true;
	ct_call_fail(call, CT_INVALID_ARGUMENT, "status is no known value");
	return false;
}

static void fill_query(const struct psvc *app, const Clinic__V1__SearchPatientsRequest *req,
		       struct psvc_search *q)
{
	*q = (struct psvc_search){
		.study_id = req->study_id,
		.site_id = req->site_id,
		.arm_cd = req->arm_cd,
		.status = (int)req->status,
		.text = req->text,
		.after_study_id = "",
		.after_usubjid = "",
		.max = clinic_page_size(req->page != NULL ? req->page->size : 0,
					app->limits.page_size, app->limits.page_size_max),
		.bytes_max = app->limits.reply_bytes_max,
	};
}

static void answer(const struct search *s, uint32_t id)
{
	Clinic__V1__SearchPatientsResponse resp = CLINIC__V1__SEARCH_PATIENTS_RESPONSE__INIT;
	struct clinic_page_key key = { .n = 0 };
	char token[CLINIC_PAGE_TOKEN_SIZE];

	resp.patients = s->list;
	resp.n_patients = s->n;
	if (s->more) {
		const Clinic__V1__Patient *last = s->list[s->n - 1];

		if (!clinic_page_key_add(&key, last->study_id) ||
		    !clinic_page_key_add(&key, last->usubjid)) {
			ct_call_fail(s->call, CT_INTERNAL, "a stored key is too long");
			return;
		}
		clinic_page_token_write(id, &key, token);
		resp.next_token = token;
	}
	patient_search_patients_reply(s->call, &resp);
}

void psvc_search_patients(struct ct_call *call, const Clinic__V1__SearchPatientsRequest *req)
{
	struct search s = { .app = ct_call_impl(call), .call = call };
	const uint32_t id = query_id(req);
	struct ct_store_why why = { "" };
	struct clinic_page_key after;
	ct_status st;

	if (!args_ok(call, req))
		return;
	fill_query(s.app, req, &s.query);
	if (req->page != NULL && req->page->token[0] != '\0') {
		if (clinic_page_token_read(req->page->token, id, KEY_PARTS, &after) != CT_OK) {
			ct_call_fail(call, CT_INVALID_ARGUMENT, "page.token is not of this search");
			return;
		}
		s.query.after_study_id = after.part[0];
		s.query.after_usubjid = after.part[1];
	}
	st = ct_store_read(psvc_store_base(s.app->store), ct_call_ctx(call), run, &s, &why);
	if (st == CT_OK)
		answer(&s, id);
	else
		clinic_store_failed(call, s.app->log, st, why.text);
}
