/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include "base/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

enum { POOL_BYTES = 4096 };

/* Bits fetched ahead, one pool a thread. A child of fork() must not go on with
 * its parent's: `generation` moves in the child and the pool is filled anew. */
static _Thread_local struct {
	uint8_t bytes[POOL_BYTES];
	size_t used;
	unsigned generation; /* 0: never filled */
} pool;

static atomic_uint generation = 1;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void forked(void)
{
	atomic_fetch_add(&generation, 1);
}

static void watch_forks(void)
{
	CT_CHECK(pthread_atfork(NULL, NULL, forked) == 0);
}

static void fill(void)
{
	size_t have = 0;

	CT_CHECK(pthread_once(&fork_once, watch_forks) == 0);
	while (have < POOL_BYTES) {
		const ssize_t n = getrandom(pool.bytes + have, POOL_BYTES - have, 0);

		CT_CHECK(n > 0 || errno == EINTR);
		if (n > 0)
			have += (size_t)n;
	}
	pool.used = 0;
	pool.generation = atomic_load(&generation);
}

static void take(void *out, size_t n)
{
	if (pool.generation != atomic_load_explicit(&generation, memory_order_relaxed) ||
	    POOL_BYTES - pool.used < n)
		fill();
	memcpy(out, pool.bytes + pool.used, n);
	memset(pool.bytes + pool.used, 0, n);
	pool.used += n;
}

struct ct_id ct_id_new(void)
{
	struct ct_id id;

	do {
		take(id.b, sizeof(id.b));
	} while (ct_id_zero(&id));
	return id;
}

uint64_t ct_random_u64(void)
{
	uint64_t v;

	take(&v, sizeof(v));
	return v;
}

bool ct_id_zero(const struct ct_id *id)
{
	static const struct ct_id zero;

	return memcmp(id, &zero, sizeof(zero)) == 0;
}

bool ct_id_equal(const struct ct_id *a, const struct ct_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

uint64_t ct_id_hash(const struct ct_id *id)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof(h));
	return h;
}

void ct_id_to_hex(const struct ct_id *id, char out[CT_ID_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(id->b); i++) {
		out[2 * i] = digits[id->b[i] >> 4];
		out[2 * i + 1] = digits[id->b[i] & 15];
	}
	out[2 * sizeof(id->b)] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool ct_id_from_hex(const char *hex, size_t len, struct ct_id *ret_id)
{
	struct ct_id id;

	if (len != 2 * sizeof(id.b))
		return false;
	for (size_t i = 0; i < sizeof(id.b); i++) {
		const int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		id.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*ret_id = id;
	return true;
}
