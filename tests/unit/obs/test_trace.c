/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/trace.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <string.h>

#define EXAMPLE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static bool parses(const char *text)
{
	struct ct_trace t;

	return ct_trace_parse(ct_bytes_of_str(text), &t);
}

TestSuite(trace, .fini = leak_check, .timeout = 60);

Test(trace, reads_the_example_of_the_specification)
{
	struct ct_trace t;
	char hex[CT_ID_HEX_SIZE];

	cr_assert(ct_trace_parse(ct_bytes_of_str(EXAMPLE), &t));

	ct_id_to_hex(&t.trace_id, hex);
	cr_assert_str_eq(hex, "4bf92f3577b34da6a3ce929d0e0e4736");
	cr_assert_eq(t.span_id, UINT64_C(0x00f067aa0ba902b7));
}

Test(trace, what_is_written_reads_back)
{
	for (int i = 0; i < 1000; i++) {
		const struct ct_trace t = ct_trace_new();
		char text[CT_TRACEPARENT_SIZE];
		struct ct_trace back;

		ct_trace_format(&t, text);
		cr_assert_eq(strlen(text), CT_TRACEPARENT_LEN);
		cr_assert(ct_trace_parse(ct_bytes_of_str(text), &back));
		cr_assert(ct_id_equal(&t.trace_id, &back.trace_id));
		cr_assert_eq(t.span_id, back.span_id);
	}
}

Test(trace, what_reads_is_written_the_same)
{
	char text[CT_TRACEPARENT_SIZE];
	struct ct_trace t;

	cr_assert(ct_trace_parse(ct_bytes_of_str(EXAMPLE), &t));
	ct_trace_format(&t, text);

	cr_assert_str_eq(text, EXAMPLE);
}

Test(trace, a_child_keeps_the_trace_and_has_a_span_of_its_own)
{
	const struct ct_trace parent = ct_trace_new();
	const struct ct_trace child = ct_trace_child(&parent);

	cr_assert(ct_id_equal(&parent.trace_id, &child.trace_id));
	cr_assert_neq(child.span_id, 0);
	cr_assert_neq(child.span_id, parent.span_id);
}

Test(trace, refuses_zero_ids)
{
	cr_assert_not(parses("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
	cr_assert_not(parses("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
	cr_assert(parses("00-00000000000000000000000000000001-00f067aa0ba902b7-01"));
	cr_assert(parses("00-10000000000000000000000000000000-00f067aa0ba902b7-01"));
}

Test(trace, refuses_upper_case_anywhere)
{
	cr_assert_not(parses("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
	cr_assert_not(parses("00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01"));
	cr_assert_not(parses("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A"));
	cr_assert_not(parses("CC-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

Test(trace, version_00_has_exactly_55_bytes)
{
	cr_assert_not(parses(""));
	cr_assert_not(parses("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"));
	cr_assert_not(parses(EXAMPLE "-"));
	cr_assert_not(parses(EXAMPLE " "));
	cr_assert_not(parses(EXAMPLE "-00"));
}

Test(trace, later_versions_may_be_longer_after_a_dash_and_ff_is_none)
{
	cr_assert(parses("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
	cr_assert(parses("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
	cr_assert_not(parses("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what"));
	cr_assert_not(parses("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
}

Test(trace, each_byte_of_the_text_matters)
{
	for (size_t i = 0; i < CT_TRACEPARENT_LEN; i++) {
		char text[] = EXAMPLE;
		struct ct_trace t = { .span_id = 42 };

		text[i] = 'g';
		cr_assert_not(ct_trace_parse(ct_bytes_of_str(text), &t), "byte %zu", i);
		cr_assert_eq(t.span_id, 42, "the output changed at byte %zu", i);
	}
}
