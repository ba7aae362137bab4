/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl list, health, watch, stats: what a server says about itself. */
#include "rpcctl/commands.h"
#include "rpcctl/shown.h"

#include "ct/v1/health.ct.h"
#include "ct/v1/runtime.ct.h"

#include <inttypes.h>

typedef Ct__V1__HealthCheckResponse__ServingStatus serving;

int rpcctl_list(struct session *s)
{
	Ct__V1__ListMethodsRequest req = CT__V1__LIST_METHODS_REQUEST__INIT;
	const Ct__V1__ListMethodsResponse *resp;

	if (session_call(s, &runtime_list_methods_method, &req.base) != CT_OK)
		return rpcctl_show_error(s);
	resp = runtime_list_methods_response(&s->reply);
	for (size_t i = 0; i < resp->n_methods; i++) {
		const Ct__V1__MethodInfo *m = resp->methods[i];

		printf("%-48s %-12s %6" PRIu32 " ms%s\n", shown(m->name).text, shown(m->lane).text,
		       m->timeout_ms, m->idempotent ? "  idempotent" : "");
	}
	return 0;
}

int rpcctl_stats(struct session *s)
{
	Ct__V1__StatsRequest req = CT__V1__STATS_REQUEST__INIT;

	if (session_call(s, &runtime_stats_method, &req.base) != CT_OK)
		return rpcctl_show_error(s);
	return rpcctl_show(s, true);
}

static char *service_operand(const struct session *s)
{
	return s->args->operands_n > 0 ? (char *)(uintptr_t)s->args->operands[0]
				       : (char *)(uintptr_t) "";
}

static const char *serving_name(serving v)
{
	const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(
		&ct__v1__health_check_response__serving_status__descriptor, (int)v);

	return e != NULL ? e->name : "UNKNOWN";
}

int rpcctl_health(struct session *s)
{
	Ct__V1__HealthCheckRequest req = CT__V1__HEALTH_CHECK_REQUEST__INIT;
	serving v;

	req.service = service_operand(s);
	if (session_call(s, &health_check_method, &req.base) != CT_OK)
		return rpcctl_show_error(s);
	v = health_check_response(&s->reply)->status;
	puts(serving_name(v));
	return v == CT__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING ? 0 : RPCCTL_EXIT_FAILED;
}

int rpcctl_watch(struct session *s)
{
	Ct__V1__HealthWatchRequest req = CT__V1__HEALTH_WATCH_REQUEST__INIT;

	req.service = service_operand(s);
	while (session_call(s, &health_watch_method, &req.base) == CT_OK) {
		const serving v = health_watch_response(&s->reply)->status;

		if (v == req.known)
			continue; /* its time was up without a change */
		puts(serving_name(v));
		if (fflush(stdout) != 0)
			return RPCCTL_EXIT_FAILED;
		req.known = v;
	}
	return ct_ctx_done(s->ctx) ? 0 : rpcctl_show_error(s);
}
