/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_LIB_RPC_UNTIL_H
#define CT_TESTS_LIB_RPC_UNTIL_H

#include <stdbool.h>
#include <stdint.h>

/* How long a test waits for what must come; a loaded machine and a sanitizer included. */
enum { PATIENCE_MS = 15000 };

/* Looks every millisecond until the fact holds; for facts that nothing announces.
 * False: it did not, in PATIENCE_MS. */
bool until(bool (*fact)(void *arg), void *arg);

/* Of this process. */
unsigned open_descriptors(void);
uint64_t resident_bytes(void); /* 0 in a sanitized build: it would measure the sanitizer */
/* Of another; 0: it is gone. */
unsigned open_descriptors_of(int pid);
uint64_t resident_bytes_of(int pid);
/* To the hard limit; returns what it is now. */
uint64_t raise_descriptor_limit(void);

#endif
