/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_TEMPLATE_H
#define CT_TOOLS_PROTOC_GEN_CT_TEMPLATE_H

#include "model.h"

/*
 * Adds a piece of C with the names filled in:
 *
 *   $service  clinic.v1.ReportService       $prefix  report
 *   $method   clinic.v1.ReportService/Get   $stub    report_get       $member  get
 *   $req      Clinic__V1__GetRequest        $reqd    ...__descriptor
 *   $resp     Clinic__V1__GetResponse       $respd   ...__descriptor
 *
 * m may be NULL when the piece names nothing of a method.
 */
void gen_template_add(struct gen_text *out, const struct gen_service *s, const struct gen_method *m,
		      const char *piece);

#endif
