/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_PRNG_H
#define GEN_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SplitMix64 (Steele, Lea, Flood 2014): a counter that grows by the golden
 * ratio, each value mixed by two multiplications. Integers alone, so every
 * machine draws the same study from the same seed. A stream of its own for each
 * (seed, subject, table) makes a subject's data independent of how many
 * subjects there are.
 */
struct gen_prng {
	uint64_t state;
};

void gen_prng_init(struct gen_prng *r, uint64_t seed, uint64_t subject, uint64_t table);
uint64_t gen_next(struct gen_prng *r);

/* Evenly from 0 to n - 1; n at least 1. */
uint32_t gen_below(struct gen_prng *r, uint32_t n);

/* Evenly from low to high, both included. */
int32_t gen_between(struct gen_prng *r, int32_t low, int32_t high);

/* From low to high too, but mostly in the middle: the mean of three draws. */
int32_t gen_around(struct gen_prng *r, int32_t low, int32_t high);

/* True n times in 1,000. */
bool gen_chance(struct gen_prng *r, uint32_t per_mille);

#define GEN_PICK(r, list) ((list)[gen_below((r), (uint32_t)(sizeof(list) / sizeof((list)[0])))])

#endif
