/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include "clinic/v1/report.pb-c.h"
#include "ct/v1/meta.pb-c.h"
#include "ctest/v1/old.pb-c.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(json_shape, .fini = leak_check, .timeout = 60);

Test(json_shape, an_empty_message_is_an_empty_object)
{
	expect("{}", "{}");
	expect(" \n\t{ } \r\n", "{}");
}

Test(json_shape, names_are_lower_camel_case_and_read_in_both_spellings)
{
	expect("{\"int32_field\":1,\"stringField\":\"x\"}",
	       "{\"int32Field\":1,\"stringField\":\"x\"}");
	expect("{\"already_camelCase_2x\":\"p\",\"trailing_\":\"q\",\"a__b\":\"r\"}",
	       "{\"alreadyCamelCase2x\":\"p\",\"trailing\":\"q\",\"aB\":\"r\"}");
	expect("{\"alreadyCamelCase2x\":\"p\",\"trailing\":\"q\",\"aB\":\"r\"}",
	       "{\"alreadyCamelCase2x\":\"p\",\"trailing\":\"q\",\"aB\":\"r\"}");
}

Test(json_shape, null_means_absent)
{
	expect("{\"int32Field\":null,\"messageField\":null,\"stringList\":null,\"textByText\":null,"
	       "\"choiceText\":null,\"choiceNumber\":3}",
	       "{\"choiceNumber\":3}");
}

Test(json_shape, null_is_no_element)
{
	expect_refused("{\"stringList\":[\"a\",null]}", "stringList[1]: null cannot stand here");
	expect_refused("{\"messageList\":[null]}", "messageList[0]: null cannot stand here");
	expect_refused("{\"textByText\":{\"k\":null}}", "textByText.k: null cannot stand here");
}

Test(json_shape, unknown_fields_are_refused_with_their_path)
{
	expect_refused("{\"nope\":1}", "nope: ctest.v1.Everything has no such field");
	expect_refused("{\"messageList\":[{},{\"next\":{\"oops\":1}}]}",
		       "messageList[1].next.oops: ctest.v1.Everything.Inner has no such field");
	expect_refused_as(&clinic__v1__diagnostic_report__descriptor,
			  "{\"results\":[{},{},{},{\"orresuu\":\"mg\"}]}",
			  "results[3].orresuu: clinic.v1.Observation has no such field");
	expect_refused("{\"Int32Field\":1}", "Int32Field: ctest.v1.Everything has no such field");
}

Test(json_shape, a_name_from_the_text_cannot_forge_a_line_of_the_log)
{
	expect_refused("{\"a\\nlevel=error 张\":1}",
		       "a?level=error ???: ctest.v1.Everything has no such field");
	expect_refused("{\"0123456789012345678901234567890123456789012345678901234567890\":1}",
		       "012345678901234567890123456789012345678901234567~: "
		       "ctest.v1.Everything has no such field");
}

Test(json_shape, a_field_given_twice_is_refused)
{
	expect_refused("{\"int32Field\":1,\n\"int32Field\":1}",
		       "line 2, column 1: duplicate object key");
	expect_refused("{\"int32Field\":1,\"int32_field\":1}",
		       "int32_field: the field is there twice, in both spellings");
	expect_refused("{\"textByText\":{\"a\":\"1\",\"a\":\"2\"}}",
		       "line 1, column 24: duplicate object key");
}

Test(json_shape, arrays_and_objects_are_not_taken_for_one_another)
{
	expect_refused("[]", "$: an object is expected");
	expect_refused("{\"messageField\":[]}", "messageField: an object is expected");
	expect_refused("{\"stringList\":{}}", "stringList: an array is expected");
	expect_refused("{\"stringList\":\"a\"}", "stringList: an array is expected");
	expect_refused("{\"textByText\":[]}", "textByText: an object is expected");
	expect_refused("{\"int32Field\":[1]}",
		       "int32Field: an integer from -2147483648 to 2147483647 is expected");
}

Test(json_shape, lists_keep_their_order_and_their_default_elements)
{
	expect("{\"int32List\":[3,0,-1],\"stringList\":[\"\",\"b\"],\"enumList\":[0],"
	       "\"messageList\":[{},{\"name\":\"n\"}],\"floatList\":[0,0.5]}",
	       "{\"int32List\":[3,0,-1],\"floatList\":[0,0.5],\"stringList\":[\"\",\"b\"],"
	       "\"enumList\":[\"COLOR_UNSPECIFIED\"],\"messageList\":[{},{\"name\":\"n\"}]}");
	expect("{\"int32List\":[],\"messageList\":[]}", "{}");
}

Test(json_shape, maps_are_objects_with_keys_as_strings)
{
	expect("{\"textByText\":{\"b\":\"1\",\"\":\"\",\"a\":\"2\"},"
	       "\"messageByInt\":{\"-7\":{\"name\":\"x\"}},"
	       "\"realByBig\":{\"18446744073709551615\":0.5},"
	       "\"colorByBool\":{\"true\":\"RED\",\"false\":0},"
	       "\"bytesByText\":{\"张\":\"AQI=\"}}",
	       "{\"textByText\":{\"b\":\"1\",\"\":\"\",\"a\":\"2\"},"
	       "\"messageByInt\":{\"-7\":{\"name\":\"x\"}},"
	       "\"realByBig\":{\"18446744073709551615\":0.5},"
	       "\"colorByBool\":{\"true\":\"RED\",\"false\":\"COLOR_UNSPECIFIED\"},"
	       "\"bytesByText\":{\"张\":\"AQI=\"}}");
	expect("{\"textByText\":{}}", "{}");
}

Test(json_shape, map_keys_have_one_spelling)
{
	static const char *const bad[] = { "01", "-0", "1.0", "1e2",       "+1",
					   " 1", "",   "x",   "2147483648" };

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		char in[64], err[128];

		(void)snprintf(in, sizeof(in), "{\"messageByInt\":{\"%s\":{}}}", bad[i]);
		(void)snprintf(err, sizeof(err),
			       "messageByInt.%s: the key is not an integer from "
			       "-2147483648 to 2147483647",
			       bad[i]);
		expect_refused(in, err);
	}
	expect_refused("{\"colorByBool\":{\"1\":0}}",
		       "colorByBool.1: the key is not true or false");
}

Test(json_shape, what_only_looks_like_a_map_is_a_list)
{
	expect("{\"pairs\":[{\"key\":\"a\",\"value\":\"b\"}]}",
	       "{\"pairs\":[{\"key\":\"a\",\"value\":\"b\"}]}");
}

Test(json_shape, a_map_entry_without_its_value_holds_the_default)
{
	Ctest__V1__Everything__MessageByIntEntry entry =
		CTEST__V1__EVERYTHING__MESSAGE_BY_INT_ENTRY__INIT;
	Ctest__V1__Everything__MessageByIntEntry *entries[] = { &entry };
	Ctest__V1__Everything m = CTEST__V1__EVERYTHING__INIT;
	char *text = NULL;

	m.n_message_by_int = 1;
	m.message_by_int = entries;

	cr_assert_eq(ct_json_from_message(&m.base, NULL, &text), CT_OK);

	cr_assert_str_eq(text, "{\"messageByInt\":{\"0\":{}}}");
	ct_mem_free(text);
}

Test(json_shape, a_oneof_is_written_when_set_even_to_its_default)
{
	expect("{\"choiceNumber\":0}", "{\"choiceNumber\":0}");
	expect("{\"choiceText\":\"\"}", "{\"choiceText\":\"\"}");
	expect("{\"choiceBytes\":\"\"}", "{\"choiceBytes\":\"\"}");
	expect("{\"choiceMessage\":{}}", "{\"choiceMessage\":{}}");
	expect("{\"choiceColor\":\"COLOR_UNSPECIFIED\"}",
	       "{\"choiceColor\":\"COLOR_UNSPECIFIED\"}");
	expect("{\"choiceReal\":0}", "{\"choiceReal\":0}");
	expect_as(&clinic__v1__observation__descriptor, "{\"stresn\":98.6,\"nrlo\":0}",
		  "{\"stresn\":98.6,\"nrlo\":0}");
}

Test(json_shape, two_members_of_a_oneof_are_refused)
{
	expect_refused("{\"choiceNumber\":1,\"choiceText\":\"a\"}",
		       "choiceText: another field of its oneof is set too");
	expect_refused("{\"choiceMessage\":{\"name\":\"leak?\"},\"choiceBytes\":\"AAAA\"}",
		       "choiceBytes: another field of its oneof is set too");
}

Test(json_shape, the_metadata_of_a_call_is_a_map_of_bytes)
{
	expect_as(&ct__v1__call_meta__descriptor,
		  "{\"traceparent\":\"00-ab\",\"metadata\":{\"tenant\":\"c2l0ZS00\"}}",
		  "{\"traceparent\":\"00-ab\",\"metadata\":{\"tenant\":\"c2l0ZS00\"}}");
}

Test(json_shape, proto2_fields_have_presence)
{
	expect_as(&ctest__v1__old__descriptor,
		  "{\"id\":0,\"number\":0,\"text\":\"\",\"data\":\"\"}",
		  "{\"id\":0,\"number\":0,\"text\":\"\",\"data\":\"\"}");
	expect_as(&ctest__v1__old__descriptor, "{\"id\":1}", "{\"id\":1}");
	expect_as(&ctest__v1__old__descriptor,
		  "{\"id\":1,\"counts\":{\"a\":0},\"names\":{\"0\":\"\",\"5\":\"x\"}}",
		  "{\"id\":1,\"counts\":{\"a\":0},\"names\":{\"0\":\"\",\"5\":\"x\"}}");
	expect_refused_as(&ctest__v1__old__descriptor, "{\"id\":1,\"child\":{}}",
			  "child: the required field id is missing");
	expect_refused_as(&ctest__v1__old__descriptor, "{}", "$: the required field id is missing");
}

Test(json_shape, defaults_are_written_on_request)
{
	const struct ct_json_opts opts = { .emit_defaults = true };
	Clinic__V1__Observation m = CLINIC__V1__OBSERVATION__INIT;
	Ct__V1__CallMeta meta = CT__V1__CALL_META__INIT;
	char *text = NULL;

	m.testcd = (char *)(uintptr_t) "GLUC";
	cr_assert_eq(ct_json_from_message(&m.base, &opts, &text), CT_OK);
	cr_assert_str_eq(
		text, "{\"seq\":0,\"testcd\":\"GLUC\",\"test\":\"\",\"orres\":\"\",\"orresu\":\"\","
		      "\"stresc\":\"\",\"stresu\":\"\",\"nrind\":\"\",\"blfl\":\"\",\"dtc\":\"\","
		      "\"specimen\":\"\",\"status\":\"\",\"position\":\"\",\"location\":\"\","
		      "\"timepoint\":\"\"}");
	ct_mem_free(text);

	cr_assert_eq(ct_json_from_message(&meta.base, &opts, &text), CT_OK);
	cr_assert_str_eq(text, "{\"traceparent\":\"\",\"idempotencyKey\":\"\",\"caller\":\"\","
			       "\"metadata\":{}}");
	ct_mem_free(text);
}

Test(json_shape, indented_text_has_a_line_for_each_member_and_element)
{
	const struct ct_json_opts opts = { .indent = 2 };
	Ctest__V1__Everything *m = read_everything(
		"{\"int32List\":[1,2],\"messageField\":{},\"textByText\":{\"k\":\"v\"}}");
	char *text = NULL;

	cr_assert_eq(ct_json_from_message(&m->base, &opts, &text), CT_OK);

	cr_assert_str_eq(text, "{\n"
			       "  \"messageField\": {},\n"
			       "  \"int32List\": [\n"
			       "    1,\n"
			       "    2\n"
			       "  ],\n"
			       "  \"textByText\": {\n"
			       "    \"k\": \"v\"\n"
			       "  }\n"
			       "}");
	ct_mem_free(text);
	free_message(m);
}

Test(json_shape, what_is_read_packs_to_the_same_bytes_as_what_was_written)
{
	Ctest__V1__Everything *m = read_everything(
		"{\"int64Field\":\"-5\",\"choiceMessage\":{\"list\":[{\"name\":\"张三\"}]},"
		"\"realByBig\":{\"1\":1.5,\"2\":0},\"boolList\":[true,false]}");
	Ctest__V1__Everything *again;
	uint8_t a[256], b[256];
	char *text = NULL;
	size_t a_len, b_len;

	cr_assert_leq(ctest__v1__everything__get_packed_size(m), sizeof(a));
	a_len = ctest__v1__everything__pack(m, a);
	cr_assert_eq(ct_json_from_message(&m->base, NULL, &text), CT_OK);
	again = read_everything(text);
	cr_assert_leq(ctest__v1__everything__get_packed_size(again), sizeof(b));
	b_len = ctest__v1__everything__pack(again, b);

	cr_assert_gt(a_len, 0);
	cr_assert_eq(a_len, b_len);
	cr_assert(memcmp(a, b, a_len) == 0);
	ct_mem_free(text);
	free_message(m);
	free_message(again);
}
