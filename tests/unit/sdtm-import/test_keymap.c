/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/keymap.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>

#include <stdio.h>

TestSuite(keymap, .fini = leak_check, .timeout = 60);

static struct sdtm_key key_of(const char *a, const char *b)
{
	struct sdtm_key key;

	sdtm_key_init(&key);
	sdtm_key_add(&key, a);
	sdtm_key_add(&key, b);
	return key;
}

Test(keymap, fields_do_not_run_into_each_other)
{
	const struct sdtm_key x = key_of("ab", "c");
	const struct sdtm_key y = key_of("a", "bc");
	const struct sdtm_key z = key_of("ab", "c");

	cr_assert(x.a != y.a && x.b != y.b);
	cr_assert(x.a == z.a && x.b == z.b);
}

Test(keymap, keeps_each_number_while_it_grows)
{
	struct sdtm_keymap *m = sdtm_keymap_new(100000);
	char text[16];
	bool fresh;

	for (unsigned i = 0; i < 100000; i++) {
		struct sdtm_key key;
		uint64_t *value;

		snprintf(text, sizeof(text), "%u", i);
		key = key_of("k", text);
		cr_assert_null(sdtm_keymap_get(m, &key));
		value = sdtm_keymap_put(m, &key, &fresh);
		cr_assert_not_null(value);
		cr_assert(fresh && *value == 0);
		*value = i;
	}
	for (unsigned i = 0; i < 100000; i++) {
		struct sdtm_key key;

		snprintf(text, sizeof(text), "%u", i);
		key = key_of("k", text);
		cr_assert_eq(*sdtm_keymap_get(m, &key), i);
	}

	cr_assert_eq(sdtm_keymap_n(m), 100000);
	m = sdtm_keymap_free(m);
}

Test(keymap, full_map_refuses_new_keys_and_still_finds_old_ones)
{
	struct sdtm_keymap *m = sdtm_keymap_new(1);
	const struct sdtm_key x = key_of("x", "");
	const struct sdtm_key y = key_of("y", "");
	bool fresh = false;

	cr_assert_not_null(sdtm_keymap_put(m, &x, &fresh));
	cr_assert_null(sdtm_keymap_put(m, &y, &fresh));
	cr_assert_not_null(sdtm_keymap_put(m, &x, &fresh));
	cr_assert_not(fresh);
	m = sdtm_keymap_free(m);
}
