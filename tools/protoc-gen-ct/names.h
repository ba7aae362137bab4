/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_NAMES_H
#define CT_TOOLS_PROTOC_GEN_CT_NAMES_H

#include "gen.h"

/*
 * From the names of a .proto to names in C. What names a message follows
 * protoc-c's rules to the letter, because protoc-c generates the other half.
 */

/* ".clinic.v1.GetReportsRequest" -> "Clinic__V1__GetReportsRequest". */
const char *gen_message_type(struct gen *g, const char *full_name);

/* ".clinic.v1.GetReportsRequest" -> "clinic__v1__get_reports_request__descriptor". */
const char *gen_message_descriptor(struct gen *g, const char *full_name);

/* "GetReports" -> "get_reports", "ECGReport" -> "ecg_report", "get_x" stays. */
const char *gen_snake_case(struct gen *g, const char *name);

/* "ReportService" -> "report"; "Service" alone -> "service". */
const char *gen_service_prefix(struct gen *g, const char *service);

/* "clinic/v1/report" -> "CLINIC_V1_REPORT_CT_H". */
const char *gen_include_guard(struct gen *g, const char *stem);

/* Letters, digits and '_', no digit first; with dots: one or more of those, joined by '.'. */
bool gen_is_identifier(const char *s);
bool gen_is_dotted_identifier(const char *s);

/* A relative path of plain characters, without "..", that ends in ".proto". */
bool gen_is_proto_path(const char *s);

/* A keyword of C, or a name the standard headers define as a macro. */
bool gen_is_c_keyword(const char *s);

/* A prefix the runtime or its libraries own. */
bool gen_is_reserved_prefix(const char *s);

#endif
