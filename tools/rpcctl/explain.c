/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl explain: the recent calls of several servers as one timeline. Each
 * server's clock starts with it, so only the times within a line compare. */
#include "rpcctl/commands.h"

#include "rpcctl/shown.h"

#include "ct/v1/runtime.ct.h"

#include <inttypes.h>

void rpcctl_show_record(FILE *out, const char *service, const Ct__V1__CallRecord *r)
{
	fprintf(out, "%-14s %-44s %-10s %s%s%s\n", shown(service).text, shown(r->method).text,
		shown(r->end_state).text, ct_status_name(ct_status_from_wire((uint32_t)r->code)),
		r->reason[0] != '\0' ? ", " : "", shown(r->reason).text);
	fprintf(out, "  trace %s  from %s (%s)  attempt %" PRIu32 "  %s\n",
		r->trace_id[0] != '\0' ? shown(r->trace_id).text : "-", shown(r->caller).text,
		shown(r->peer).text, r->attempt, shown(r->criticality).text);
	fprintf(out, "  budget %" PRId64 " us  queue %" PRIu64 " us  handler %" PRIu64 " us",
		r->budget_us == UINT64_MAX ? -1 : (int64_t)r->budget_us, r->queue_us,
		r->handler_us);
	if (r->tripped_us != 0)
		fprintf(out, "  tripped at %" PRIu64 " us, stopped %" PRIu64 " us later",
			r->tripped_us, r->cancel_to_stop_us);
	fputc('\n', out);
}

static int explain_one(const struct rpcctl_args *args, const char *url)
{
	Ct__V1__ExplainRequest req = CT__V1__EXPLAIN_REQUEST__INIT;
	Ct__V1__StatsRequest who = CT__V1__STATS_REQUEST__INIT;
	const Ct__V1__ExplainResponse *resp;
	char service[64];
	struct session s;
	int status = 0;

	if (session_open(&s, args, &url, 1) != CT_OK)
		return RPCCTL_EXIT_FAILED;
	if (args->operands_n > 0)
		req.trace_id = (char *)(uintptr_t)args->operands[0];
	if (session_call(&s, &runtime_stats_method, &who.base) != CT_OK) {
		status = rpcctl_show_error(&s);
		goto out;
	}
	(void)snprintf(service, sizeof(service), "%s", runtime_stats_response(&s.reply)->service);
	if (session_call(&s, &runtime_explain_method, &req.base) != CT_OK) {
		status = rpcctl_show_error(&s);
		goto out;
	}
	resp = runtime_explain_response(&s.reply);
	for (size_t i = 0; i < resp->n_records; i++)
		rpcctl_show_record(stdout, service, resp->records[i]);
out:
	session_close(&s);
	return status;
}

int rpcctl_explain(const struct rpcctl_args *args)
{
	int status = 0;

	for (size_t i = 0; i < args->urls_n; i++) {
		const int one = explain_one(args, args->urls[i]);

		status = status != 0 ? status : one;
	}
	return status;
}
