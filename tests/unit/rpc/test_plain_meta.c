/* SPDX-License-Identifier: Apache-2.0 */
/* The short way must be the long way's, byte for byte. */
#include "rpc/plain_meta.h"

#include <criterion/criterion.h>

TestSuite(plain_meta);

static bool plain(Ct__V1__CallMeta *m)
{
	uint8_t bytes[512];
	const size_t len = ct__v1__call_meta__pack(m, bytes);

	return ct_plain_call_meta(ct_bytes_of(bytes, len));
}

Test(plain_meta, call_that_names_its_caller_alone_is_plain)
{
	Ct__V1__CallMeta m = CT__V1__CALL_META__INIT;
	char name[128] = { 0 };

	cr_assert(ct_plain_call_meta(CT_BYTES_NONE));
	m.caller = (char *)(uintptr_t) "patient-svc";
	cr_assert(plain(&m));
	memset(name, 'n', 127);
	m.caller = name;
	cr_assert(plain(&m));
}

Test(plain_meta, whatever_else_a_call_carries_makes_it_not_plain)
{
	Ct__V1__CallMeta m = CT__V1__CALL_META__INIT;
	Ct__V1__CallMeta__MetadataEntry e = CT__V1__CALL_META__METADATA_ENTRY__INIT, *list = &e;

	m.caller = (char *)(uintptr_t) "c";
	m.traceparent = (char *)(uintptr_t) "00-1-2-01";
	cr_assert_not(plain(&m));
	m.traceparent = (char *)(uintptr_t) "";
	m.idempotency_key = (char *)(uintptr_t) "k";
	cr_assert_not(plain(&m));
	m.idempotency_key = (char *)(uintptr_t) "";
	m.metadata = &list;
	m.n_metadata = 1;
	cr_assert_not(plain(&m));
}

Test(plain_meta, caller_that_is_cut_or_followed_by_more_is_not_plain)
{
	static const uint8_t cut[] = { 0x1a, 5, 'a', 'b' }, more[] = { 0x1a, 1, 'a', 0x0a, 0 },
			     bare[] = { 0x1a };

	cr_assert_not(ct_plain_call_meta(ct_bytes_of(cut, sizeof(cut))));
	cr_assert_not(ct_plain_call_meta(ct_bytes_of(more, sizeof(more))));
	cr_assert_not(ct_plain_call_meta(ct_bytes_of(bare, sizeof(bare))));
}

static void expect_read_alike(struct ct_bytes bytes)
{
	Ct__V1__CallMeta *theirs = ct__v1__call_meta__unpack(NULL, bytes.len, bytes.ptr);
	const Ct__V1__CallMeta *ours;
	uint8_t a[512], b[512];
	struct ct_arena arena;
	size_t len;

	ct_arena_init(&arena, 1024, 1024);
	cr_assert_not_null(theirs);
	ours = ct_plain_call_meta_read(bytes, &arena);
	cr_assert_not_null(ours);
	cr_assert_str_eq(ours->caller, theirs->caller);
	len = ct__v1__call_meta__pack(theirs, a);
	cr_assert_eq(ct__v1__call_meta__pack(ours, b), len);
	cr_assert_arr_eq(a, b, len);
	ct__v1__call_meta__free_unpacked(theirs, NULL);
	ct_arena_fini(&arena);
}

Test(plain_meta, plain_call_is_read_as_the_codec_reads_it)
{
	static const uint8_t named[] = { 0x1a, 6, 0xe5, 0xbc, 0xa0, 'a', 'b', 'c' },
			     nameless[] = { 0x1a, 0 }, cut_name[] = { 0x1a, 3, 'a', 0, 'b' };

	expect_read_alike(ct_bytes_of(named, 0)); /* nothing came */
	expect_read_alike(ct_bytes_of(named, sizeof(named)));
	expect_read_alike(ct_bytes_of(nameless, sizeof(nameless)));
	expect_read_alike(ct_bytes_of(cut_name, sizeof(cut_name)));
}

Test(plain_meta, call_that_finds_no_memory_is_told)
{
	static const uint8_t named[300] = { 0x1a, 100 };
	struct ct_arena arena;

	ct_arena_init(&arena, 256, 256);
	cr_assert_not_null(ct_arena_alloc(&arena, 200));
	cr_assert_null(ct_plain_call_meta_read(ct_bytes_of(named, 102), &arena));
	ct_arena_fini(&arena);
}

static void expect_same(const Ct__V1__Timing *t)
{
	Ct__V1__Timing timing = *t;
	Ct__V1__ReplyMeta m = CT__V1__REPLY_META__INIT;
	uint8_t ours[CT_PLAIN_REPLY_META_BYTES_MAX], theirs[256];
	size_t len;

	m.timing = &timing;
	cr_assert(ct_plain_reply_meta(&m));
	len = ct__v1__reply_meta__pack(&m, theirs);
	cr_assert_eq(ct_plain_reply_meta_pack(&m, ours), len);
	cr_assert_arr_eq(ours, theirs, len);
}

Test(plain_meta, timing_is_packed_as_the_codec_packs_it)
{
	static const uint64_t values[] = { 0,     1,      127,        128,       16383,
					   16384, 300000, UINT32_MAX, UINT64_MAX };
	enum { N = sizeof(values) / sizeof(values[0]) };

	for (size_t i = 0; i < N * N; i++) {
		Ct__V1__Timing t = CT__V1__TIMING__INIT;

		t.queue_us = values[i % N];
		t.handler_us = values[i / N];
		t.downstream_us = values[(i + 3) % N];
		t.admit_us = values[(i + 5) % N];
		t.serialize_us = values[(i / N + 2) % N];
		expect_same(&t);
	}
}

Test(plain_meta, the_longest_timing_fits)
{
	Ct__V1__Timing t = CT__V1__TIMING__INIT;

	t.queue_us = t.handler_us = t.downstream_us = t.admit_us = t.serialize_us = UINT64_MAX;
	expect_same(&t);
}

Test(plain_meta, reply_that_says_more_is_not_plain)
{
	Ct__V1__ReplyMeta m = CT__V1__REPLY_META__INIT;
	Ct__V1__Timing t = CT__V1__TIMING__INIT;

	cr_assert_not(ct_plain_reply_meta(&m), "an error before the handler has no timing");
	m.timing = &t;
	m.message = (char *)(uintptr_t) "why";
	cr_assert_not(ct_plain_reply_meta(&m));
	m.message = (char *)(uintptr_t) "";
	m.n_details = 1;
	cr_assert_not(ct_plain_reply_meta(&m));
	m.n_details = 0;
	m.n_metadata = 1;
	cr_assert_not(ct_plain_reply_meta(&m));
	m.n_metadata = 0;
	t.n_hops = 1;
	cr_assert_not(ct_plain_reply_meta(&m));
}
