/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include "base/attrs.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(id, .fini = leak_check, .timeout = 60);

enum { IDS = 20000 };

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ct_id));
}

static void assert_distinct(struct ct_id *ids, size_t n)
{
	qsort(ids, n, sizeof(*ids), compare);
	for (size_t i = 1; i < n; i++)
		cr_assert_not(ct_id_equal(&ids[i - 1], &ids[i]));
}

static void *fill(void *arg)
{
	struct ct_id *ids = arg;

	for (size_t i = 0; i < IDS; i++)
		ids[i] = ct_id_new();
	return NULL;
}

Test(id, ids_of_all_threads_are_distinct_and_never_zero)
{
	static struct ct_id ids[2 * IDS];
	pthread_t th;

	cr_assert_eq(pthread_create(&th, NULL, fill, ids), 0);
	(void)fill(ids + IDS);
	cr_assert_eq(pthread_join(th, NULL), 0);
	for (size_t i = 0; i < CT_ARRAY_N(ids); i++)
		cr_assert_not(ct_id_zero(&ids[i]));
	assert_distinct(ids, CT_ARRAY_N(ids));
}

Test(id, a_child_process_does_not_repeat_its_parents_ids)
{
	struct ct_id ids[2];
	int fds[2];
	int status;
	pid_t pid;

	(void)ct_id_new(); /* the pool is filled before the fork */
	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		const struct ct_id id = ct_id_new();

		_exit(write(fds[1], &id, sizeof(id)) == (ssize_t)sizeof(id) ? 0 : 1);
	}
	ids[0] = ct_id_new();
	cr_assert_eq(read(fds[0], &ids[1], sizeof(ids[1])), (ssize_t)sizeof(ids[1]));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cr_assert_not(ct_id_equal(&ids[0], &ids[1]));
	close(fds[0]);
	close(fds[1]);
}

Test(id, hex_and_back_is_the_same_id)
{
	char hex[CT_ID_HEX_SIZE];

	for (int i = 0; i < 1000; i++) {
		const struct ct_id id = ct_id_new();
		struct ct_id back;

		ct_id_to_hex(&id, hex);
		cr_assert_eq(strlen(hex), CT_ID_HEX_SIZE - 1);
		cr_assert(ct_id_from_hex(hex, strlen(hex), &back));
		cr_assert(ct_id_equal(&id, &back));
	}
}

Test(id, hex_is_written_in_lower_case_and_read_in_either)
{
	static const char upper[] = "0123456789ABCDEF00FFA5C3DEADBEEF";
	char hex[CT_ID_HEX_SIZE];
	struct ct_id id;

	cr_assert(ct_id_from_hex(upper, sizeof(upper) - 1, &id));
	cr_assert_eq(id.b[0], 0x01);
	cr_assert_eq(id.b[15], 0xef);
	ct_id_to_hex(&id, hex);
	cr_assert_str_eq(hex, "0123456789abcdef00ffa5c3deadbeef");
}

Test(id, what_is_not_32_hex_digits_is_refused_and_writes_nothing)
{
	static const char *const bad[] = {
		"",
		"0123",
		"0123456789abcdef00ffa5c3deadbee",
		"0123456789abcdef00ffa5c3deadbeef0",
		"0123456789abcdef00ffa5c3deadbeeg",
		"g123456789abcdef00ffa5c3deadbeef",
		"0123456789abcdef 0ffa5c3deadbeef",
		"0x23456789abcdef00ffa5c3deadbeef",
		"0123456789abcdef00ffa5c3deadbee/",
		"0123456789abcdef00ffa5c3deadbee@",
	};
	const struct ct_id before = ct_id_new();
	struct ct_id id = before;

	for (size_t i = 0; i < CT_ARRAY_N(bad); i++) {
		cr_assert_not(ct_id_from_hex(bad[i], strlen(bad[i]), &id), "%s", bad[i]);
		cr_assert(ct_id_equal(&id, &before));
	}
}

Test(id, only_sixteen_zero_bytes_are_zero)
{
	struct ct_id id = { { 0 } };

	cr_assert(ct_id_zero(&id));
	id.b[15] = 1;
	cr_assert_not(ct_id_zero(&id));
}

Test(id, equal_ids_hash_alike)
{
	const struct ct_id a = ct_id_new();
	const struct ct_id b = a, c = ct_id_new();

	cr_assert_eq(ct_id_hash(&a), ct_id_hash(&b));
	cr_assert_neq(ct_id_hash(&a), ct_id_hash(&c));
}

Test(id, random_words_use_all_their_bits)
{
	uint64_t ones = 0, zeros = 0;

	for (int i = 0; i < 200; i++) {
		const uint64_t v = ct_random_u64();

		ones |= v;
		zeros |= ~v;
	}
	cr_assert_eq(ones, UINT64_MAX);
	cr_assert_eq(zeros, UINT64_MAX);
}
