/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/handlers/fail.h"

#include "base/check.h"
#include "clinic/domain/text_check.h"

enum { BUSY_RETRY_MS = 100 };

bool clinic_arg_ok(struct ct_call *call, const char *name, const char *value, size_t max_chars,
		   bool required)
{
	const char *fault;

	if (value[0] == '\0') {
		if (required)
			ct_call_fail(call, CT_INVALID_ARGUMENT, "%s is missing", name);
		return !required;
	}
	fault = clinic_text_fault(value, max_chars);
	if (fault != NULL)
		ct_call_fail(call, CT_INVALID_ARGUMENT, "%s %s", name, fault);
	return fault == NULL;
}

/* What the store's status means to a caller, who did nothing wrong. */
static ct_status status_for_caller(ct_status st)
{
	switch (st) {
	case CT_PERMISSION_DENIED: /* ours, not his: a read-only file */
		return CT_FAILED_PRECONDITION;
	case CT_INVALID_ARGUMENT: /* what he sent was checked before */
	case CT_ALREADY_EXISTS:
	case CT_NOT_FOUND:
	case CT_OK:
		return CT_INTERNAL;
	case CT_CANCELLED:
	case CT_UNKNOWN:
	case CT_DEADLINE_EXCEEDED:
	case CT_RESOURCE_EXHAUSTED:
	case CT_FAILED_PRECONDITION:
	case CT_ABORTED:
	case CT_OUT_OF_RANGE:
	case CT_UNIMPLEMENTED:
	case CT_INTERNAL:
	case CT_UNAVAILABLE:
	case CT_DATA_LOSS:
	case CT_UNAUTHENTICATED:
		break;
	}
	return st;
}

void clinic_store_failed(struct ct_call *call, struct ct_log *log, ct_status st, const char *why)
{
	const struct ct_trace trace = ct_ctx_trace(ct_call_ctx(call));
	const ct_status told = status_for_caller(st);

	CT_CHECK(st != CT_OK);
	if (st == CT_CANCELLED || st == CT_DEADLINE_EXCEEDED) {
		ct_call_fail(call, st, "stopped in the store");
		return;
	}
	CT_LOG(log, CT_LOG_ERROR, "the store failed", CT_ID("trace", &trace.trace_id),
	       CT_STR("method", ct_call_method(call)->name), CT_STATUS("status", st),
	       CT_STR("why", why));
	if (told == CT_RESOURCE_EXHAUSTED || told == CT_UNAVAILABLE)
		ct_call_set_retry_after(call, BUSY_RETRY_MS);
	ct_call_fail(call, told, "the store: %s", ct_status_text(st));
}
