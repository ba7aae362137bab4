/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/fields.h"

#include "base/check.h"
#include "base/text.h"
#include "clinic/domain/iso_date.h"
#include "clinic/domain/text_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const void *at(const struct clinic_field *f, const void *msg)
{
	return (const char *)msg + f->offset;
}

bool clinic_field_present(const struct clinic_field *f, const void *msg)
{
	int value;

	if (f->case_offset == 0)
		return true;
	memcpy(&value, (const char *)msg + f->case_offset, sizeof(value));
	return value == f->case_value;
}

const char *clinic_field_text(const struct clinic_field *f, const void *msg)
{
	const char *text;

	CT_CHECK(f->type == CLINIC_TEXT || f->type == CLINIC_DATE);
	memcpy(&text, at(f, msg), sizeof(text));
	return text != NULL ? text : "";
}

int64_t clinic_field_int(const struct clinic_field *f, const void *msg)
{
	int32_t i;
	uint32_t u;

	if (f->type == CLINIC_UINT) {
		memcpy(&u, at(f, msg), sizeof(u));
		return u;
	}
	CT_CHECK(f->type == CLINIC_ENUM || f->type == CLINIC_INT || f->type == CLINIC_BOOL);
	memcpy(&i, at(f, msg), sizeof(i));
	return i;
}

double clinic_field_real(const struct clinic_field *f, const void *msg)
{
	double v;

	CT_CHECK(f->type == CLINIC_REAL);
	memcpy(&v, at(f, msg), sizeof(v));
	return v;
}

bool clinic_issue_set(struct clinic_issue *issue, ct_status code, const char *field,
		      const char *fmt, ...)
{
	va_list ap;

	issue->code = code;
	(void)snprintf(issue->field, sizeof(issue->field), "%s", field);
	va_start(ap, fmt);
	(void)vsnprintf(issue->message, sizeof(issue->message), fmt, ap);
	va_end(ap);
	return false;
}

static bool wrong(struct clinic_issue *issue, const struct clinic_field *f, const char *why)
{
	return clinic_issue_set(issue, CT_INVALID_ARGUMENT, f->name, "%s %s", f->name, why);
}

static bool in_codes(const char *const *codes, const char *text)
{
	for (; *codes != NULL; codes++)
		if (strcmp(*codes, text) == 0)
			return true;
	return false;
}

/* "is none of M, F, U" */
static bool wrong_code(struct clinic_issue *issue, const struct clinic_field *f)
{
	char list[CLINIC_ISSUE_MESSAGE_SIZE] = "";
	size_t n = 0;

	for (const char *const *c = f->codes; *c != NULL && n < sizeof(list); c++) {
		const int more = snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "",
					  *c);

		n += more > 0 ? (size_t)more : 0;
	}
	return clinic_issue_set(issue, CT_INVALID_ARGUMENT, f->name, "%s is none of %.60s", f->name,
				list);
}

static bool check_text(const struct clinic_field *f, const char *text, struct clinic_issue *issue)
{
	const char *why;

	if (text[0] == '\0')
		return (f->flags & CLINIC_REQUIRED) == 0 || wrong(issue, f, "is missing");
	why = clinic_text_fault(text, f->max);
	if (why == NULL && f->type == CLINIC_DATE)
		why = clinic_date_fault(text);
	if (why != NULL)
		return wrong(issue, f, why);
	if (f->codes != NULL && !in_codes(f->codes, text))
		return wrong_code(issue, f);
	return true;
}

static bool check_int(const struct clinic_field *f, int64_t v, struct clinic_issue *issue)
{
	if (v == 0 && (f->flags & CLINIC_REQUIRED) != 0)
		return wrong(issue, f, "is missing");
	if (f->type == CLINIC_UINT && v > (int64_t)f->max)
		return clinic_issue_set(issue, CT_INVALID_ARGUMENT, f->name, "%s is over %" PRIu32,
					f->name, f->max);
	if (f->type == CLINIC_ENUM &&
	    protobuf_c_enum_descriptor_get_value(f->enum_type, (int)v) == NULL)
		return wrong(issue, f, "is no known value");
	return true;
}

static bool check_one(const struct clinic_field *f, const void *msg, struct clinic_issue *issue)
{
	if (!clinic_field_present(f, msg))
		return true;
	switch (f->type) {
	case CLINIC_TEXT:
	case CLINIC_DATE:
		return check_text(f, clinic_field_text(f, msg), issue);
	case CLINIC_ENUM:
	case CLINIC_UINT:
	case CLINIC_INT:
	case CLINIC_BOOL:
		return check_int(f, clinic_field_int(f, msg), issue);
	case CLINIC_REAL:
		return isfinite(clinic_field_real(f, msg)) ||
		       wrong(issue, f, "is not a finite number");
	}
	return true;
}

bool clinic_fields_check(const struct clinic_fields *t, const void *msg,
			 struct clinic_issue *ret_issue)
{
	for (size_t i = 0; i < t->n; i++)
		if (!check_one(&t->rows[i], msg, ret_issue))
			return false;
	return true;
}

static size_t key_part(const struct clinic_field *f, const void *msg, char *dst, size_t size)
{
	int n = 0;

	switch (f->type) {
	case CLINIC_TEXT:
	case CLINIC_DATE:
		return ct_text_show(dst, size, clinic_field_text(f, msg));
	case CLINIC_REAL:
		n = snprintf(dst, size, "%.10g", clinic_field_real(f, msg));
		break;
	case CLINIC_ENUM: {
		const int v = (int)clinic_field_int(f, msg);
		const ProtobufCEnumValue *e = protobuf_c_enum_descriptor_get_value(f->enum_type, v);

		n = e != NULL ? snprintf(dst, size, "%s", e->name) : snprintf(dst, size, "%d", v);
		break;
	}
	case CLINIC_UINT:
	case CLINIC_INT:
	case CLINIC_BOOL:
		n = snprintf(dst, size, "%" PRId64, clinic_field_int(f, msg));
		break;
	}
	CT_CHECK(n >= 0);
	return (size_t)n < size ? (size_t)n : size - 1;
}

size_t clinic_fields_key(const struct clinic_fields *t, const void *msg, char *dst, size_t size)
{
	size_t n = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < t->n; i++) {
		if ((t->rows[i].flags & CLINIC_KEY) == 0)
			continue;
		if (n > 0 && n + 1 < size)
			dst[n++] = '/';
		n += key_part(&t->rows[i], msg, dst + n, size - n);
	}
	return n;
}
