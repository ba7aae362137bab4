/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_MODEL_H
#define CT_TOOLS_PROTOC_GEN_CT_MODEL_H

#include "gen.h"

#include "ct/v1/options.pb-c.h"
#include "google/protobuf/compiler/plugin.pb-c.h"

/*
 * The services of a request, with every name and number the generated code
 * needs. Borrows from the request and from the arena of struct gen.
 */
struct gen_method {
	const char *name;                /* GetReports */
	const char *c_name;              /* get_reports */
	const char *stub;                /* report_get_reports */
	const char *full_name;           /* clinic.v1.ReportService/GetReports */
	const char *where;               /* file:line:column */
	const char *comment;             /* as in the .proto, or NULL */
	const char *req_type, *req_desc; /* C names of the message and its descriptor */
	const char *resp_type, *resp_desc;
	uint32_t hash; /* of full_name */
	uint32_t timeout_ms, max_request_bytes;
	Ct__V1__Lane lane;
	bool idempotent;
	bool streaming; /* refused, if its file is to be generated */
};

struct gen_service {
	const char *name;      /* ReportService */
	const char *full_name; /* clinic.v1.ReportService */
	const char *prefix;    /* report */
	const char *where;
	const char *comment;
	struct gen_method *methods;
	size_t methods_n;
};

struct gen_file {
	const Google__Protobuf__FileDescriptorProto *proto;
	const char *path; /* clinic/v1/report.proto */
	const char *stem; /* clinic/v1/report */
	bool wanted;      /* named on protoc's command line; the others are imports */
	struct gen_service *services;
	size_t services_n;
};

struct gen_model {
	struct gen_file *files;
	size_t files_n;
};

/* What is wrong with the files is added to g->errors; the model is of use for
 * generating only when there are none. */
void gen_model_build(struct gen *g, const Google__Protobuf__Compiler__CodeGeneratorRequest *req,
		     struct gen_model *ret_model);

/* Errors for what is wrong between the services of the whole request: two
 * methods with one hash, or two definitions with one name in C. */
void gen_check_collisions(struct gen *g, const struct gen_model *m);

#endif
