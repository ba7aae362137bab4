/* SPDX-License-Identifier: Apache-2.0 */
#include "json_internal.h"

#include "json/b64.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* The integers a type can hold: [-min_magnitude, max]. */
struct range {
	uint64_t min_magnitude, max;
	const char *text;
};

static struct range range_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return (struct range){ 0, UINT32_MAX, "an integer from 0 to 4294967295" };
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return (struct range){ (uint64_t)INT64_MAX + 1, INT64_MAX,
				       "an integer of 64 bits" };
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return (struct range){ 0, UINT64_MAX, "an integer of 64 bits, not negative" };
	default: /* the signed ones of 32 bits, and enums */
		return (struct range){ (uint64_t)INT32_MAX + 1, INT32_MAX,
				       "an integer from -2147483648 to 2147483647" };
	}
}

/* A number, or a string or a wide number that reads as one. */
static bool take_number(struct ct_json__decoder *d, const json_t *v, struct ct_json__number *ret)
{
	struct ct_bytes text;

	if (json_is_integer(v)) {
		const int64_t i = json_integer_value(v);

		*ret = (struct ct_json__number){
			.is_int = true,
			.negative = i < 0,
			.magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i,
		};
		return true;
	}
	if (json_is_real(v)) {
		*ret = (struct ct_json__number){ .real = json_real_value(v) };
		return true;
	}
	if (ct_json__scan_wide(&d->scan, v, &text))
		return ct_json__number_parse(text, ret);
	if (!json_is_string(v))
		return false;
	return ct_json__number_parse(ct_bytes_of(json_string_value(v), json_string_length(v)), ret);
}

/* Stores the low bits: a field of 32 bits has been checked against its range. */
static void store_int(ProtobufCType type, uint64_t value, void *place)
{
	if (ct_json__value_size(type) == sizeof(uint64_t)) {
		memcpy(place, &value, sizeof(value));
	} else {
		const uint32_t low = (uint32_t)value;

		memcpy(place, &low, sizeof(low));
	}
}

static ct_status take_int(struct ct_json__decoder *d, const struct ct_json__path *at,
			  ProtobufCType type, const json_t *v, void *place)
{
	const struct range r = range_of(type);
	struct ct_json__number n;
	uint64_t value;

	if (!take_number(d, v, &n) || !ct_json__number_to_int(&n, r.min_magnitude, r.max, &value))
		return ct_json__refuse(d, at, "%s is expected", r.text);
	store_int(type, value, place);
	return CT_OK;
}

static bool special_real(const json_t *v, double *ret)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = { { "NaN", NAN }, { "Infinity", INFINITY }, { "-Infinity", -INFINITY } };
	const char *s = json_string_value(v);

	for (size_t i = 0; s != NULL && i < CT_ARRAY_N(rows); i++) {
		if (strcmp(s, rows[i].text) == 0) {
			*ret = rows[i].value;
			return true;
		}
	}
	return false;
}

static ct_status take_real(struct ct_json__decoder *d, const struct ct_json__path *at,
			   ProtobufCType type, const json_t *v, void *place)
{
	struct ct_json__number n;
	double value;

	if (!special_real(v, &value)) {
		if (!take_number(d, v, &n))
			return ct_json__refuse(d, at, "a number is expected");
		value = ct_json__number_to_double(&n);
	}
	if (type == PROTOBUF_C_TYPE_DOUBLE) {
		memcpy(place, &value, sizeof(value));
	} else {
		/* What rounds to the largest float is one; what lies beyond is not. */
		const bool fits = isnan(value) || isinf(value) ||
				  fabs(value) < (double)FLT_MAX * (1.0 + FLT_EPSILON / 4);
		const float narrow = fits ? (float)value : 0;

		if (!fits)
			return ct_json__refuse(d, at, "the number is out of a float's range");
		memcpy(place, &narrow, sizeof(narrow));
	}
	return CT_OK;
}

static ct_status take_enum(struct ct_json__decoder *d, const struct ct_json__path *at,
			   const ProtobufCFieldDescriptor *f, const json_t *v, void *place)
{
	const ProtobufCEnumDescriptor *desc = f->descriptor;
	const ProtobufCEnumValue *value;
	struct ct_bytes wide;

	if (!json_is_string(v) || ct_json__scan_wide(&d->scan, v, &wide))
		return take_int(d, at, f->type, v, place);
	value = protobuf_c_enum_descriptor_get_value_by_name(desc, json_string_value(v));
	if (value == NULL)
		return ct_json__refuse(d, at, "not the name of a value of %s", desc->name);
	store_int(f->type, (uint64_t)(int64_t)value->value, place);
	return CT_OK;
}

static ct_status take_string(struct ct_json__decoder *d, const struct ct_json__path *at,
			     const json_t *v, char **place)
{
	const size_t len = json_string_length(v);
	struct ct_bytes wide;
	char *copy;

	if (!json_is_string(v) || ct_json__scan_wide(&d->scan, v, &wide))
		return ct_json__refuse(d, at, "a string is expected");
	copy = ct_json__alloc(d, len + 1, 1);
	if (copy == NULL)
		return ct_json__no_memory(d);
	memcpy(copy, json_string_value(v), len);
	*place = copy;
	return CT_OK;
}

static ct_status take_bytes(struct ct_json__decoder *d, const struct ct_json__path *at,
			    const json_t *v, ProtobufCBinaryData *place)
{
	const struct ct_bytes text = ct_bytes_of(json_string_value(v), json_string_length(v));
	struct ct_bytes wide;
	uint8_t *data;
	size_t len;

	if (!json_is_string(v) || ct_json__scan_wide(&d->scan, v, &wide))
		return ct_json__refuse(d, at, "a string of base64 is expected");
	if (text.len == 0)
		return CT_OK;
	data = ct_json__alloc(d, ct_b64_bytes_max(text.len), 1);
	if (data == NULL)
		return ct_json__no_memory(d);
	*place = (ProtobufCBinaryData){ .data = data };
	if (!ct_b64_decode(text, data, &len))
		return ct_json__refuse(d, at, "a string of base64 is expected");
	place->len = len;
	return CT_OK;
}

ct_status ct_json__scalar(struct ct_json__decoder *d, const struct ct_json__path *at,
			  const ProtobufCFieldDescriptor *f, const json_t *v, void *place)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return take_real(d, at, f->type, v, place);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(v))
			return ct_json__refuse(d, at, "true or false is expected");
		*(protobuf_c_boolean *)place = json_is_true(v);
		return CT_OK;
	case PROTOBUF_C_TYPE_ENUM:
		return take_enum(d, at, f, v, place);
	case PROTOBUF_C_TYPE_STRING:
		return take_string(d, at, v, place);
	case PROTOBUF_C_TYPE_BYTES:
		return take_bytes(d, at, v, place);
	default: /* the integers; messages are decode.c's */
		return take_int(d, at, f->type, v, place);
	}
}

ct_status ct_json__map_key(struct ct_json__decoder *d, const struct ct_json__path *at,
			   const ProtobufCFieldDescriptor *f, const char *key, void *place)
{
	const struct range r = range_of(f->type);
	struct ct_json__number n;
	uint64_t value;

	if (f->type == PROTOBUF_C_TYPE_STRING) {
		char *copy = ct_json__alloc(d, strlen(key) + 1, 1);

		if (copy == NULL)
			return ct_json__no_memory(d);
		memcpy(copy, key, strlen(key));
		*(char **)place = copy;
		return CT_OK;
	}
	if (f->type == PROTOBUF_C_TYPE_BOOL) {
		*(protobuf_c_boolean *)place = strcmp(key, "true") == 0;
		if (strcmp(key, "true") != 0 && strcmp(key, "false") != 0)
			return ct_json__refuse(d, at, "the key is not true or false");
		return CT_OK;
	}
	/* One spelling for each number, so that no two keys are the same. */
	if (strcmp(key, "-0") == 0 || !ct_json__number_parse(ct_bytes_of_str(key), &n) ||
	    !n.is_int || !ct_json__number_to_int(&n, r.min_magnitude, r.max, &value))
		return ct_json__refuse(d, at, "the key is not %s", r.text);
	store_int(f->type, value, place);
	return CT_OK;
}
