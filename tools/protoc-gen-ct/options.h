/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_OPTIONS_H
#define CT_TOOLS_PROTOC_GEN_CT_OPTIONS_H

#include "model.h"

enum {
	GEN_TIMEOUT_MS_MAX = 24 * 60 * 60 * 1000,
	GEN_REQUEST_BYTES_MAX_MAX = 1024 * 1024 * 1024,
};

/* Fills the method's timeout_ms, max_request_bytes, lane and idempotent from
 * `option (ct.v1.method)`; without it all are zero. An invalid value is an error. */
void gen_options_read(struct gen *g, const Google__Protobuf__MethodOptions *opts,
		      struct gen_method *method);

/* Whether the file sets protoc-c's c_package, which renames every message. */
bool gen_options_have_c_package(const Google__Protobuf__FileOptions *opts);

#endif
