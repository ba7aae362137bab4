/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include "base/mem.h"
#include "base/text.h"

#include "json/b64.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void ct_json__fail(struct ct_json__writer *w, ct_status st)
{
	if (w->st == CT_OK)
		w->st = st;
}

/* n bytes at the end of the text for the caller to fill; NULL: failed, now or before. */
static char *claim(struct ct_json__writer *w, size_t n)
{
	char *at;

	if (w->st != CT_OK)
		return NULL;
	if (n > CT_JSON_OUTPUT_BYTES_MAX - w->len) {
		ct_json__fail(w, CT_RESOURCE_EXHAUSTED);
		return NULL;
	}
	if (w->size - w->len < n + 1) {
		const size_t size = 2 * (w->len + n + 1) + 256;
		char *text = ct_mem_realloc(w->text, size);

		if (text == NULL) {
			ct_json__fail(w, CT_RESOURCE_EXHAUSTED);
			return NULL;
		}
		w->text = text;
		w->size = size;
	}
	at = w->text + w->len;
	w->len += n;
	w->text[w->len] = '\0';
	return at;
}

void ct_json__put(struct ct_json__writer *w, const char *s, size_t len)
{
	char *at = claim(w, len);

	if (at != NULL && len > 0)
		memcpy(at, s, len);
}

void ct_json__puts(struct ct_json__writer *w, const char *s)
{
	ct_json__put(w, s, strlen(s));
}

static void new_line(struct ct_json__writer *w)
{
	const size_t n = (size_t)w->opts->indent * w->depth;
	char *at;

	if (w->opts->indent == 0)
		return;
	ct_json__put(w, "\n", 1);
	at = claim(w, n);
	if (at != NULL)
		memset(at, ' ', n);
}

void ct_json__open(struct ct_json__writer *w, const char *bracket)
{
	if (w->depth == CT_JSON_DEPTH_MAX)
		ct_json__fail(w, CT_RESOURCE_EXHAUSTED);
	w->depth++;
	ct_json__puts(w, bracket);
}

void ct_json__close(struct ct_json__writer *w, const char *bracket, bool empty)
{
	w->depth--;
	if (!empty)
		new_line(w);
	ct_json__puts(w, bracket);
}

/* In front of a member or an element. */
void ct_json__item(struct ct_json__writer *w, bool *first)
{
	if (!*first)
		ct_json__put(w, ",", 1);
	*first = false;
	new_line(w);
}

void ct_json__colon(struct ct_json__writer *w)
{
	ct_json__puts(w, w->opts->indent > 0 ? ": " : ":");
}

static void put_escaped(struct ct_json__writer *w, uint8_t c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);
	char text[8];

	if (at != NULL)
		(void)snprintf(text, sizeof(text), "\\%c", letters[at - plain]);
	else
		(void)snprintf(text, sizeof(text), "\\u%04x", c);
	ct_json__puts(w, text);
}

void ct_json__put_string(struct ct_json__writer *w, const char *string)
{
	const uint8_t *s = (const uint8_t *)(string != NULL ? string : "");

	if (!ct_text_is_utf8(ct_bytes_of_str((const char *)s))) {
		ct_json__fail(w, CT_INVALID_ARGUMENT);
		return;
	}
	ct_json__put(w, "\"", 1);
	while (*s != '\0') {
		const uint8_t *from = s;

		while (*s >= ' ' && *s != '"' && *s != '\\')
			s++;
		ct_json__put(w, (const char *)from, (size_t)(s - from));
		if (*s != '\0')
			put_escaped(w, *s++);
	}
	ct_json__put(w, "\"", 1);
}

void ct_json__put_bytes(struct ct_json__writer *w, const ProtobufCBinaryData *b)
{
	char *at;

	ct_json__put(w, "\"", 1);
	at = b->len <= CT_JSON_OUTPUT_BYTES_MAX ? claim(w, ct_b64_len(b->len)) : NULL;
	if (at != NULL)
		ct_b64_encode(ct_bytes_of(b->data, b->len), at);
	else
		ct_json__fail(w, CT_RESOURCE_EXHAUSTED);
	ct_json__put(w, "\"", 1);
}

void ct_json__put_real(struct ct_json__writer *w, double v, bool is_float)
{
	char text[CT_JSON__NUMBER_CHARS];

	if (isnan(v) || isinf(v)) {
		ct_json__puts(w, isnan(v) ? "\"NaN\"" : (v > 0 ? "\"Infinity\"" : "\"-Infinity\""));
		return;
	}
	if (is_float)
		ct_json__format_float((float)v, text);
	else
		ct_json__format_double(v, text);
	ct_json__puts(w, text);
}

void ct_json__put_enum(struct ct_json__writer *w, const ProtobufCEnumDescriptor *desc, int number)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(desc, number);
	char text[CT_JSON__NUMBER_CHARS];

	if (v != NULL) {
		ct_json__put_string(w, v->name);
		return;
	}
	(void)snprintf(text, sizeof(text), "%d", number);
	ct_json__puts(w, text);
}

/* Integers; quote: in quotes even when they have 32 bits, as a map's keys are. */
void ct_json__put_int(struct ct_json__writer *w, ProtobufCType type, const void *value, bool quote)
{
	char text[CT_JSON__NUMBER_CHARS];

	switch (type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		(void)snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		(void)snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)value);
		quote = true;
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		(void)snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)value);
		quote = true;
		break;
	default:
		(void)snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)value);
		break;
	}
	if (quote)
		ct_json__put(w, "\"", 1);
	ct_json__puts(w, text);
	if (quote)
		ct_json__put(w, "\"", 1);
}
