/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_UNIT_JSON_HELP_H
#define CT_TESTS_UNIT_JSON_HELP_H

#include "json/json.h"

#include "ctest/v1/everything.pb-c.h"

/* Of ctest.v1.Everything where nothing else is said. Each asserts what it says. */

/* Reads text, which must be right. Free with free_message(). */
Ctest__V1__Everything *read_everything(const char *text);
void free_message(void *msg);

/* Reads `in` as desc and writes it on one line: it must be `out`. */
void expect_as(const ProtobufCMessageDescriptor *desc, const char *in, const char *out);
void expect(const char *in, const char *out);

/* Reading `in` must fail with this status and this whole error text. */
void expect_status(const char *in, ct_status st, const char *err);
void expect_refused(const char *in, const char *err);
void expect_refused_as(const ProtobufCMessageDescriptor *desc, const char *in, const char *err);

#endif
