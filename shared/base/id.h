/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_ID_H
#define CT_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 random bits that name a call attempt or a trace. A value. */
struct ct_id {
	uint8_t b[16];
};

enum { CT_ID_HEX_SIZE = 33 }; /* 32 lower-case digits and a NUL */

/* From the kernel's generator, so that nobody can guess the id of a call that
 * is not his. Never zero. Any thread; a system call once in 256. */
struct ct_id ct_id_new(void);

/* Kernel-quality random bits for jitter and picks. Any thread. */
uint64_t ct_random_u64(void);

bool ct_id_zero(const struct ct_id *id);
bool ct_id_equal(const struct ct_id *a, const struct ct_id *b);
uint64_t ct_id_hash(const struct ct_id *id); /* the bits are random: any eight serve */

void ct_id_to_hex(const struct ct_id *id, char out[CT_ID_HEX_SIZE]);

/* 32 hex digits of either case. False: not that; *ret_id is unchanged. */
bool ct_id_from_hex(const char *hex, size_t len, struct ct_id *ret_id);

#endif
