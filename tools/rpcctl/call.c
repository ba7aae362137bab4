/* SPDX-License-Identifier: Apache-2.0 */
/* rpcctl call METHOD JSON */
#include "rpcctl/commands.h"
#include "rpcctl/request.h"

static int make_call(struct session *s, const struct ct_method *m, const ProtobufCMessage *req)
{
	const ct_status st = session_call(s, m, req);
	int status = st == CT_OK ? rpcctl_show(s, false) : rpcctl_show_error(s);

	if (s->args->timing) {
		rpcctl_show_metadata(s);
		rpcctl_show_timing(s, m);
	}
	return status;
}

int rpcctl_call(const struct rpcctl_args *args)
{
	int status = RPCCTL_EXIT_USAGE;
	const struct ct_method *m;
	ProtobufCMessage *req;
	struct session s;

	if (rpcctl_request_read(args, &m, &req) != CT_OK)
		return RPCCTL_EXIT_USAGE;
	if (session_open(&s, args, args->urls, args->urls_n) == CT_OK) {
		status = make_call(&s, m, req);
		session_close(&s);
	}
	protobuf_c_message_free_unpacked(req, NULL);
	return status;
}
