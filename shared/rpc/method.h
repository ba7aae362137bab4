/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_METHOD_H
#define CT_RPC_METHOD_H

#include "conc/pool.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/* One rpc, as its .proto declares it. Constants, written by protoc-gen-ct. */
struct ct_method {
	const char *name;    /* "clinic.v1.ReportService/GetReports" */
	const char *service; /* "clinic.v1.ReportService" */
	uint32_t hash;       /* FNV-1a 32 of name: the header's method field */
	const ProtobufCMessageDescriptor *request, *response;
	uint32_t timeout_ms;        /* default budget of a call; 0: the client's default */
	uint32_t max_request_bytes; /* of the payload; 0: the message limit alone */
	enum ct_lane lane;
	bool idempotent;
};

#endif
