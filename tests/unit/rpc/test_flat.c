/* SPDX-License-Identifier: Apache-2.0 */
/* What is read and written here must be what protobuf-c reads and writes. */
#include "rpc/flat.h"

#include "tests/lib/leak_check.h"

#include "clinic/v1/patient.pb-c.h"
#include "ct/v1/probe.pb-c.h"
#include "ctest/v1/everything.pb-c.h"
#include "ctest/v1/flat.pb-c.h"
#include "ctest/v1/old.pb-c.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(flat, .fini = leak_check, .timeout = 60);

enum { CHUNK = 1024, ROOM = 1 << 20, BYTES_MAX = 4096 };

/* Bytes of a Flat, and where they lie. */
struct packed {
	uint8_t bytes[BYTES_MAX];
	size_t len;
};

static struct packed theirs(const Ctest__V1__Flat *m)
{
	struct packed p;

	cr_assert_leq(ctest__v1__flat__get_packed_size(m), sizeof(p.bytes));
	p.len = ctest__v1__flat__pack(m, p.bytes);
	return p;
}

static void expect_written_alike(const Ctest__V1__Flat *m)
{
	const struct packed want = theirs(m);
	uint8_t got[BYTES_MAX];
	struct ct_flat flat;

	ct_flat_load(&m->base, &flat);
	cr_assert_eq(flat.bytes, want.len);
	ct_flat_write(&flat, got);
	cr_assert_arr_eq(got, want.bytes, want.len);
}

/* What we read is what protobuf-c reads. Returns whether we did. */
static bool expect_read_alike(struct ct_bytes in)
{
	uint8_t *own = malloc(in.len + 1); /* a sanitizer sees who reads over its end */
	struct ct_arena a;
	ProtobufCMessage *ours;
	Ctest__V1__Flat *want;
	struct packed x, y;
	bool read;

	cr_assert_not_null(own);
	ct_arena_init(&a, CHUNK, ROOM);
	if (in.len > 0)
		memcpy(own + 1, in.ptr, in.len);
	read = ct_flat_read(&ctest__v1__flat__descriptor, ct_bytes_of(own + 1, in.len), &a, &ours);
	free(own);
	if (read) {
		want = ctest__v1__flat__unpack(NULL, in.len, in.ptr);
		cr_assert_not_null(want, "we read what protobuf-c refuses");
		cr_assert_eq(want->base.n_unknown_fields, 0);
		x = theirs((const Ctest__V1__Flat *)ours);
		y = theirs(want);
		cr_assert_eq(x.len, y.len);
		cr_assert_arr_eq(x.bytes, y.bytes, y.len);
		ctest__v1__flat__free_unpacked(want, NULL);
	}
	ct_arena_fini(&a);
	return read;
}

static void expect_alike(const Ctest__V1__Flat *m)
{
	const struct packed p = theirs(m);

	expect_written_alike(m);
	cr_assert(expect_read_alike(ct_bytes_of(p.bytes, p.len)));
}

Test(flat, type_of_single_values_is_flat_and_no_other)
{
	cr_assert(ct_flat_type(&ctest__v1__flat__descriptor));
	cr_assert(ct_flat_type(&ctest__v1__empty__descriptor));
	cr_assert(ct_flat_type(&ct__v1__echo_request__descriptor));
	cr_assert_not(ct_flat_type(&ctest__v1__everything__descriptor));
	cr_assert_not(ct_flat_type(&ctest__v1__old__descriptor), "fields with presence");
	cr_assert_not(ct_flat_type(&ct__v1__chain_request__descriptor), "a message, a list");
	cr_assert_not(ct_flat_type(&clinic__v1__patient__descriptor), "one of a oneof");
}

Test(flat, type_of_more_fields_than_there_is_room_for_is_not_flat)
{
	ProtobufCFieldDescriptor fields[CT_FLAT_FIELDS_MAX + 1];
	ProtobufCMessageDescriptor type = ctest__v1__flat__descriptor;

	for (size_t i = 0; i < CT_ARRAY_N(fields); i++)
		fields[i] = type.fields[0];
	type.fields = fields;
	type.n_fields = CT_FLAT_FIELDS_MAX;
	cr_assert(ct_flat_type(&type));
	type.n_fields++;
	cr_assert_not(ct_flat_type(&type));
}

Test(flat, message_that_says_nothing_has_no_bytes)
{
	const Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;
	struct ct_flat flat;

	ct_flat_load(&m.base, &flat);
	cr_assert_eq(flat.bytes, 0);
	expect_alike(&m);
}

Test(flat, extremes_of_every_number_are_alike)
{
	static const int64_t values[] = { 0,          1,         -1,       127,       128,
					  -128,       16383,     16384,    INT32_MAX, INT32_MIN,
					  UINT32_MAX, INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < CT_ARRAY_N(values); i++) {
		Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;
		const int64_t v = values[i];

		m.int32_field = m.sint32_field = m.sfixed32_field = (int32_t)v;
		m.uint32_field = m.fixed32_field = (uint32_t)v;
		m.int64_field = m.sint64_field = m.sfixed64_field = v;
		m.uint64_field = m.fixed64_field = (uint64_t)v;
		m.enum_field = (Ctest__V1__Flat__Level)(int32_t)v;
		m.bool_field = (int32_t)v;
		expect_alike(&m);
	}
}

Test(flat, extremes_of_every_real_are_alike)
{
	const double values[] = { 0.0,     -0.0,    1.5,      -1.5,      DBL_MAX, DBL_MIN,
				  FLT_MAX, FLT_MIN, INFINITY, -INFINITY, NAN };

	for (size_t i = 0; i < CT_ARRAY_N(values); i++) {
		Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;

		m.double_field = values[i];
		m.float_field = values[i] > (double)FLT_MAX ? FLT_MAX : (float)values[i];
		expect_alike(&m);
	}
}

Test(flat, texts_and_bytes_of_every_length_are_alike)
{
	static char text[300];
	static uint8_t data[300];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t len = 0; len < sizeof(text); len++) {
		Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;

		m.string_field = text + (sizeof(text) - 1 - len);
		m.bytes_field = (ProtobufCBinaryData){ len, data };
		m.far_field = len % 2 == 0 ? m.string_field : NULL;
		expect_alike(&m);
	}
}

Test(flat, text_has_a_nul_and_no_bytes_have_no_pointer)
{
	static const uint8_t in[] = { 0x82, 0x01, 2, 'a', 'b', 0x8a, 0x01, 0 };
	const Ctest__V1__Flat *m;
	ProtobufCMessage *read;
	struct ct_arena a;

	ct_arena_init(&a, CHUNK, ROOM);
	cr_assert(
		ct_flat_read(&ctest__v1__flat__descriptor, ct_bytes_of(in, sizeof(in)), &a, &read));
	m = (const Ctest__V1__Flat *)read;
	cr_assert_str_eq(m->string_field, "ab");
	cr_assert_str_eq(m->far_field, "", "what did not come is as in a new message");
	cr_assert_null(m->bytes_field.data);
	ct_arena_fini(&a);
}

Test(flat, last_of_a_field_counts_and_order_does_not_matter)
{
	static const uint8_t in[] = { 0x18, 9,   0x08, 1, 0x18, 3,    0x82, 0x01,
				      1,    'a', 0x08, 2, 0x82, 0x01, 1,    'b' };

	cr_assert(expect_read_alike(ct_bytes_of(in, sizeof(in))));
}

Test(flat, number_with_more_bits_than_its_field_loses_the_upper_ones)
{
	static const uint8_t numbers[] = { 0x08, 0x18, 0x30, 0x28, 0x38 }; /* tags */

	for (size_t i = 0; i < sizeof(numbers); i++) {
		const uint8_t in[] = { numbers[i], 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0x79 };

		cr_assert(expect_read_alike(ct_bytes_of(in, sizeof(in))));
	}
}

Test(flat, what_is_odd_is_left_to_protobuf_c)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t len;
	} odd[] = {
		{ "a field the type does not have", { 0x20, 1 }, 2 },
		{ "field number 0", { 0x00, 1 }, 2 },
		{ "a number where a text belongs", { 0x80, 0x01, 1 }, 3 },
		{ "a text where a number belongs", { 0x0a, 1, 'a' }, 3 },
		{ "four bytes where eight belong", { 0x4d, 1, 2, 3, 4 }, 5 },
		{ "a group", { 0x0b }, 1 },
		{ "a tag that is cut", { 0x80 }, 1 },
		{ "a number that is cut", { 0x08, 0x80 }, 2 },
		{ "a number that does not end",
		  { 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 },
		  12 },
		{ "a text that is cut", { 0x82, 0x01, 5, 'a' }, 4 },
		{ "a length that does not end",
		  { 0x82, 0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0 },
		  8 },
		{ "four bytes that are cut", { 0x45, 1, 2, 3 }, 4 },
		{ "a boolean of more bytes than it needs",
		  { 0x78, 0x80, 0x80, 0x80, 0x80, 0x80, 0 },
		  7 },
		{ "a tag of more bytes than it needs", { 0x88, 0x80, 0x00, 1 }, 4 },
		{ "a field number over 2047", { 0x82, 0x80, 0x01, 1, 'a' }, 5 },
	};

	for (size_t i = 0; i < CT_ARRAY_N(odd); i++)
		cr_assert_not(expect_read_alike(ct_bytes_of(odd[i].bytes, odd[i].len)), "%s",
			      odd[i].what);
}

Test(flat, arena_that_is_full_reads_nothing)
{
	static char text[CHUNK];
	Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;
	ProtobufCMessage *read;
	struct packed p;
	struct ct_arena a;

	memset(text, 'x', sizeof(text) - 1);
	m.string_field = text;
	p = theirs(&m);
	ct_arena_init(&a, CHUNK, CHUNK);
	cr_assert_not(
		ct_flat_read(&ctest__v1__flat__descriptor, ct_bytes_of(p.bytes, p.len), &a, &read));
	ct_arena_fini(&a);
}

/* Each message whole, then with one byte changed or its end cut off. */
Test(flat, damage_is_read_as_protobuf_c_reads_it_or_not_at_all)
{
	enum { ROUNDS = 3000, TEXT_MAX = 20 };
	unsigned seed = 1, reads = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		Ctest__V1__Flat m = CTEST__V1__FLAT__INIT;
		char text[TEXT_MAX + 1] = { 0 };
		struct packed p;

		memset(text, 'a', (size_t)rand_r(&seed) % TEXT_MAX);
		m.int32_field = (int32_t)(UINT32_C(0x9e3779b9) * (unsigned)rand_r(&seed));
		m.sint64_field = rand_r(&seed);
		m.fixed32_field = (uint32_t)rand_r(&seed) % 3;
		m.double_field = rand_r(&seed) % 2;
		m.bool_field = rand_r(&seed) % 2;
		m.string_field = m.far_field = text;
		m.bytes_field = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
		expect_written_alike(&m);
		p = theirs(&m);
		if (rand_r(&seed) % 2 == 0)
			p.bytes[(size_t)rand_r(&seed) % p.len] ^= (uint8_t)(1 << rand_r(&seed) % 8);
		else
			p.len = (size_t)rand_r(&seed) % p.len;
		reads += expect_read_alike(ct_bytes_of(p.bytes, p.len));
	}
	cr_assert_gt(reads, ROUNDS / 10);
}
