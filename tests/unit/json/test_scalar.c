/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

TestSuite(json_scalar, .fini = leak_check, .timeout = 60);

Test(json_scalar, integers_of_32_bits_are_numbers_and_read_from_strings_too)
{
	expect("{\"int32Field\":-2147483648,\"uint32Field\":4294967295}",
	       "{\"int32Field\":-2147483648,\"uint32Field\":4294967295}");
	expect("{\"sint32Field\":\"-5\",\"fixed32Field\":\"7\",\"sfixed32Field\":\"2147483647\"}",
	       "{\"sint32Field\":-5,\"fixed32Field\":7,\"sfixed32Field\":2147483647}");
}

Test(json_scalar, integers_of_64_bits_are_strings_and_read_from_numbers_too)
{
	expect("{\"int64Field\":-9223372036854775808,\"uint64Field\":18446744073709551615}",
	       "{\"int64Field\":\"-9223372036854775808\","
	       "\"uint64Field\":\"18446744073709551615\"}");
	expect("{\"sint64Field\":\"-1\",\"fixed64Field\":\"18446744073709551615\","
	       "\"sfixed64Field\":\"9223372036854775807\"}",
	       "{\"sint64Field\":\"-1\",\"fixed64Field\":\"18446744073709551615\","
	       "\"sfixed64Field\":\"9223372036854775807\"}");
}

Test(json_scalar, wide_numbers_keep_every_digit_among_other_members)
{
	expect("{ \"uint64List\" : [9223372036854775808, 1,18446744073709551614,"
	       "9999999999999999999 ], \"stringField\":\"9223372036854775808\" }",
	       "{\"stringField\":\"9223372036854775808\","
	       "\"uint64List\":[\"9223372036854775808\",\"1\","
	       "\"18446744073709551614\",\"9999999999999999999\"]}");
	expect("{\"doubleField\":100000000000000000000000,\"floatField\":-1000000000000000000000}",
	       "{\"floatField\":-1e+21,\"doubleField\":1e+23}");
}

Test(json_scalar, whole_numbers_may_be_written_with_fraction_or_exponent)
{
	expect("{\"int32Field\":1e5,\"uint32Field\":4294967295.0,\"int64Field\":\"-2.50e2\"}",
	       "{\"int32Field\":100000,\"int64Field\":\"-250\",\"uint32Field\":4294967295}");
	expect_refused("{\"int32Field\":0.5}",
		       "int32Field: an integer from -2147483648 to 2147483647 is expected");
	/* 2^53 + 1 has no double: better refused than off by one */
	expect_refused("{\"int64Field\":9007199254740993.0e1}",
		       "int64Field: an integer of 64 bits is expected");
}

Test(json_scalar, integers_out_of_range_are_refused)
{
	expect_refused("{\"int32Field\":2147483648}",
		       "int32Field: an integer from -2147483648 to 2147483647 is expected");
	expect_refused("{\"sint32Field\":-2147483649}",
		       "sint32Field: an integer from -2147483648 to 2147483647 is expected");
	expect_refused("{\"uint32Field\":-1}",
		       "uint32Field: an integer from 0 to 4294967295 is expected");
	expect_refused("{\"fixed32Field\":\"4294967296\"}",
		       "fixed32Field: an integer from 0 to 4294967295 is expected");
	expect_refused("{\"int64Field\":9223372036854775808}",
		       "int64Field: an integer of 64 bits is expected");
	expect_refused("{\"sfixed64Field\":-9223372036854775809}",
		       "sfixed64Field: an integer of 64 bits is expected");
	expect_refused("{\"uint64Field\":18446744073709551616}",
		       "uint64Field: an integer of 64 bits, not negative is expected");
	expect_refused("{\"fixed64Field\":-1}",
		       "fixed64Field: an integer of 64 bits, not negative is expected");
}

Test(json_scalar, strings_that_are_not_exactly_a_number_are_refused)
{
	static const char *const bad[] = { "",    " 1",  "1 ", "+1",   "01",  "0x1", "1e",
					   "--1", "1.",  ".5", "1,5",  "NaN", "inf", "1_0",
					   "-",   "1 2", "１", "true", "[1]", "{}",  "1e999" };

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		char in[64];

		(void)snprintf(in, sizeof(in), "{\"uint32Field\":\"%s\"}", bad[i]);
		expect_refused(in, "uint32Field: an integer from 0 to 4294967295 is expected");
	}
}

Test(json_scalar, reals_print_as_short_as_they_read_back)
{
	expect("{\"doubleField\":98.6}", "{\"doubleField\":98.6}");
	expect("{\"doubleField\":0.1,\"floatField\":0.1}",
	       "{\"floatField\":0.1,\"doubleField\":0.1}");
	expect("{\"doubleField\":0.30000000000000004}", "{\"doubleField\":0.30000000000000004}");
	expect("{\"doubleField\":1.7976931348623157e308,\"floatField\":3.4028235e38}",
	       "{\"floatField\":3.4028235e+38,\"doubleField\":1.7976931348623157e+308}");
	expect("{\"doubleField\":5e-324,\"floatField\":1e-45}",
	       "{\"floatField\":1e-45,\"doubleField\":5e-324}");
	expect("{\"doubleField\":-12,\"floatField\":\"1.5e3\"}",
	       "{\"floatField\":1500,\"doubleField\":-12}");
}

Test(json_scalar, a_negative_zero_keeps_its_sign_where_the_wire_keeps_it)
{
	expect("{\"doubleList\":[-0.0,\"-0\",0],\"floatList\":[-0.0]}",
	       "{\"doubleList\":[-0.0,-0.0,0],\"floatList\":[-0.0]}");
	expect("{\"doubleField\":-0.0}", "{}");
}

Test(json_scalar, nan_and_the_infinities_are_strings)
{
	expect("{\"doubleList\":[\"NaN\",\"Infinity\",\"-Infinity\"],\"floatField\":\"-Infinity\"}",
	       "{\"floatField\":\"-Infinity\","
	       "\"doubleList\":[\"NaN\",\"Infinity\",\"-Infinity\"]}");
	expect_refused("{\"doubleField\":\"nan\"}", "doubleField: a number is expected");
	expect_refused("{\"doubleField\":NaN}", "line 1, column 16: invalid token");
}

Test(json_scalar, reals_out_of_range_are_refused)
{
	expect_refused("{\"floatField\":3.4028236e38}",
		       "floatField: the number is out of a float's range");
	expect_refused("{\"doubleField\":1e309}", "line 1, column 16: real number overflow");
	expect_refused("{\"doubleField\":\"1e309\"}", "doubleField: a number is expected");
	expect_refused("{\"doubleField\":true}", "doubleField: a number is expected");
}

Test(json_scalar, a_float_that_rounds_to_the_largest_one_is_accepted)
{
	Ctest__V1__Everything *m = read_everything("{\"floatField\":3.40282350000001e38}");

	cr_assert(isfinite(m->float_field));
	free_message(m);
}

Test(json_scalar, booleans_are_true_and_false_alone)
{
	expect("{\"boolField\":true,\"boolList\":[true,false]}",
	       "{\"boolField\":true,\"boolList\":[true,false]}");
	expect_refused("{\"boolField\":1}", "boolField: true or false is expected");
	expect_refused("{\"boolField\":\"true\"}", "boolField: true or false is expected");
}

Test(json_scalar, enums_read_from_names_and_numbers_and_write_names)
{
	expect("{\"enumField\":\"BLUE\",\"enumList\":[1,\"BELOW\",\"COLOR_UNSPECIFIED\",2]}",
	       "{\"enumField\":\"BLUE\","
	       "\"enumList\":[\"RED\",\"BELOW\",\"COLOR_UNSPECIFIED\",\"BLUE\"]}");
}

Test(json_scalar, an_enum_number_without_a_name_stays_a_number)
{
	expect("{\"enumField\":77,\"enumList\":[-2147483648]}",
	       "{\"enumField\":77,\"enumList\":[-2147483648]}");
	expect_refused("{\"enumField\":2147483648}",
		       "enumField: an integer from -2147483648 to 2147483647 is expected");
	expect_refused("{\"enumField\":\"GREEN\"}",
		       "enumField: not the name of a value of ctest.v1.Everything.Color");
	expect_refused("{\"enumField\":\"2\"}",
		       "enumField: not the name of a value of ctest.v1.Everything.Color");
}

Test(json_scalar, chinese_text_stays_utf8)
{
	expect("{\"stringField\":\"张三，协和医院\"}", "{\"stringField\":\"张三，协和医院\"}");
	expect("{\"stringField\":\"\\u5f20\\u4e09 \\ud83d\\ude00\"}",
	       "{\"stringField\":\"张三 😀\"}");
}

Test(json_scalar, what_json_needs_escaped_is_escaped)
{
	expect("{\"stringField\":\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}",
	       "{\"stringField\":\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}");
}

Test(json_scalar, strings_that_are_not_strings_are_refused)
{
	expect_refused("{\"stringField\":5}", "stringField: a string is expected");
	expect_refused("{\"stringField\":18446744073709551615}",
		       "stringField: a string is expected");
	expect_refused("{\"stringField\":{}}", "stringField: a string is expected");
	expect_refused("{\"bytesField\":18446744073709551615}",
		       "bytesField: a string of base64 is expected");
	expect_refused("{\"stringField\":\"a\\u0000b\"}",
		       "line 1, column 18: a string cannot hold the character NUL");
	expect_refused("{\"stringField\":\"\xff\"}",
		       "line 1, column 16: unable to decode byte 0xff");
	expect_refused("{\"stringField\":\"\xed\xa0\x80\"}",
		       "line 1, column 16: unable to decode byte 0xed");
	expect_refused("{\"stringField\":\"\\ud800\"}",
		       "line 1, column 16: invalid Unicode '\\uD800'");
}

Test(json_scalar, bytes_are_base64_in_either_alphabet_padded_or_not)
{
	expect("{\"bytesField\":\"AAEC/+8=\"}", "{\"bytesField\":\"AAEC/+8=\"}");
	expect("{\"bytesField\":\"AAEC_-8\"}", "{\"bytesField\":\"AAEC/+8=\"}");
	expect("{\"bytesList\":[\"\",\"AA\",\"AAA=\"]}",
	       "{\"bytesList\":[\"\",\"AA==\",\"AAA=\"]}");
	expect_refused("{\"bytesField\":\"A\"}", "bytesField: a string of base64 is expected");
	expect_refused("{\"bytesField\":\"AA=\"}", "bytesField: a string of base64 is expected");
	expect_refused("{\"bytesField\":\"AA A\"}", "bytesField: a string of base64 is expected");
	expect_refused("{\"bytesField\":[]}", "bytesField: a string of base64 is expected");
}
