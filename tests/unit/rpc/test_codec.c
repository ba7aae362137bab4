/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/codec.h"

#include "tests/lib/leak_check.h"

#include "ct/v1/meta.pb-c.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(codec, .fini = leak_check, .timeout = 60);

enum { CHUNK = 1024, ROOM = 1 << 20 };

static struct ct_arena arena;

static void open_arena(size_t max)
{
	ct_arena_init(&arena, CHUNK, max);
}

Test(codec, what_is_packed_unpacks_the_same)
{
	Ct__V1__Detail in = CT__V1__DETAIL__INIT;
	uint8_t value[] = { 0, 1, 255 };
	struct ct_bytes packed;
	ProtobufCMessage *out;
	const Ct__V1__Detail *d;

	open_arena(ROOM);
	in.type = (char *)(uintptr_t) "协和医院";
	in.value = (ProtobufCBinaryData){ sizeof(value), value };

	cr_assert_eq(ct_codec_pack(&in.base, ROOM, &arena, &packed), CT_OK);
	cr_assert_eq(ct_codec_unpack(&ct__v1__detail__descriptor, packed, &arena, &out), CT_OK);

	d = (const Ct__V1__Detail *)out;
	cr_assert_str_eq(d->type, "协和医院");
	cr_assert_eq(d->value.len, sizeof(value));
	cr_assert_eq(memcmp(d->value.data, value, sizeof(value)), 0);
	ct_arena_fini(&arena);
}

Test(codec, an_empty_message_has_no_bytes_and_comes_back)
{
	Ct__V1__Timing in = CT__V1__TIMING__INIT;
	struct ct_bytes packed;
	ProtobufCMessage *out;

	open_arena(ROOM);
	cr_assert_eq(ct_codec_pack(&in.base, ROOM, &arena, &packed), CT_OK);
	cr_assert_eq(packed.len, 0);
	cr_assert_eq(ct_codec_unpack(&ct__v1__timing__descriptor, packed, &arena, &out), CT_OK);
	ct_arena_fini(&arena);
}

Test(codec, garbage_is_the_peers_fault_and_a_full_arena_is_not)
{
	static const uint8_t garbage[] = { 0x0a, 0xff, 0xff, 0xff };
	Ct__V1__Detail in = CT__V1__DETAIL__INIT;
	static char longer[4096];
	struct ct_bytes packed;
	ProtobufCMessage *out;

	open_arena(ROOM);
	cr_assert_eq(ct_codec_unpack(&ct__v1__detail__descriptor,
				     ct_bytes_of(garbage, sizeof(garbage)), &arena, &out),
		     CT_INVALID_ARGUMENT);

	memset(longer, 'x', sizeof(longer) - 1);
	in.type = longer;
	cr_assert_eq(ct_codec_pack(&in.base, ROOM, &arena, &packed), CT_OK);
	{
		struct ct_arena small;

		ct_arena_init(&small, CHUNK, CHUNK);
		cr_assert_eq(ct_codec_unpack(&ct__v1__detail__descriptor, packed, &small, &out),
			     CT_RESOURCE_EXHAUSTED);
		cr_assert_eq(ct_codec_pack(&in.base, ROOM, &small, &packed), CT_RESOURCE_EXHAUSTED);
		ct_arena_fini(&small);
	}
	cr_assert_eq(ct_codec_pack(&in.base, 100, &arena, &packed), CT_RESOURCE_EXHAUSTED);
	ct_arena_fini(&arena);
}

/* Timing { hops = Hop { timing = Timing { … } } }, `levels` messages deep. */
static struct ct_bytes nested(uint8_t *buf, size_t size, unsigned levels)
{
	size_t len = 0;

	for (unsigned i = 1; i < levels; i++) {
		const uint8_t tag = i % 2 == levels % 2 ? 0x2a : 0x22; /* Hop.timing, Timing.hops */
		uint8_t head[6];
		size_t n = 0, v = len;

		head[n++] = tag;
		do {
			head[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
			v >>= 7;
		} while (v > 0);
		cr_assert_lt(len + n, size);
		memmove(buf + n, buf, len);
		memcpy(buf, head, n);
		len += n;
	}
	return ct_bytes_of(buf, len);
}

Test(codec, nesting_is_refused_before_it_can_exhaust_a_stack)
{
	static uint8_t buf[65536];
	ProtobufCMessage *out;
	struct ct_bytes b;

	open_arena(ROOM);
	for (unsigned levels = 1; levels <= CT_CODEC_DEPTH_MAX + 1; levels++) {
		b = nested(buf, sizeof(buf), levels);
		cr_assert_eq(ct_codec_unpack(&ct__v1__timing__descriptor, b, &arena, &out), CT_OK,
			     "%u levels", levels);
	}
	b = nested(buf, sizeof(buf), CT_CODEC_DEPTH_MAX + 2);
	cr_assert_eq(ct_codec_unpack(&ct__v1__timing__descriptor, b, &arena, &out),
		     CT_INVALID_ARGUMENT);
	b = nested(buf, sizeof(buf), 2000);
	cr_assert_eq(ct_codec_unpack(&ct__v1__timing__descriptor, b, &arena, &out),
		     CT_INVALID_ARGUMENT);
	ct_arena_fini(&arena);
}
