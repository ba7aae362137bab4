/* SPDX-License-Identifier: Apache-2.0 */
#include "study-gen/prng.h"

#include "base/check.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void gen_prng_init(struct gen_prng *r, uint64_t seed, uint64_t subject, uint64_t table)
{
	r->state = mix(mix(mix(seed + GOLDEN) ^ (subject + 1)) ^ (table + 1));
}

uint64_t gen_next(struct gen_prng *r)
{
	r->state += GOLDEN;
	return mix(r->state);
}

uint32_t gen_below(struct gen_prng *r, uint32_t n)
{
	CT_CHECK(n > 0);
	return (uint32_t)(((gen_next(r) >> 32) * n) >> 32);
}

int32_t gen_between(struct gen_prng *r, int32_t low, int32_t high)
{
	CT_CHECK(low <= high);
	return low + (int32_t)gen_below(r, (uint32_t)(high - low) + 1);
}

int32_t gen_around(struct gen_prng *r, int32_t low, int32_t high)
{
	int64_t sum = 0;

	for (int i = 0; i < 3; i++)
		sum += gen_between(r, low, high);
	return (int32_t)(sum / 3);
}

bool gen_chance(struct gen_prng *r, uint32_t per_mille)
{
	return gen_below(r, 1000) < per_mille;
}
