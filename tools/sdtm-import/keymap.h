/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDTM_KEYMAP_H
#define SDTM_KEYMAP_H

#include "base/attrs.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A map from natural keys to a number each. Keys are kept as 128-bit digests,
 * not as text: 24 bytes an entry, so that a file's size, not its content,
 * decides the memory. Two keys never meet by chance; somebody who makes them
 * meet on purpose has rows of his own file taken for repeated. One thread.
 */
struct sdtm_keymap;

struct sdtm_key {
	uint64_t a, b;
};

/* Digest of the fields one by one: ("ab", "c") and ("a", "bc") differ. */
void sdtm_key_init(struct sdtm_key *key);
void sdtm_key_add(struct sdtm_key *key, const char *text);

/* At most max_n entries. NULL: memory. */
CT_MUST_USE struct sdtm_keymap *sdtm_keymap_new(size_t max_n);
struct sdtm_keymap *sdtm_keymap_free(struct sdtm_keymap *m); /* NULL ok; returns NULL */

/* The key's number, valid until the next put; NULL: it is not in the map. */
uint64_t *sdtm_keymap_get(struct sdtm_keymap *m, const struct sdtm_key *key);

/* The same; a new key gets 0. NULL: max_n is reached, or memory is out. */
uint64_t *sdtm_keymap_put(struct sdtm_keymap *m, const struct sdtm_key *key, bool *ret_new);

size_t sdtm_keymap_n(const struct sdtm_keymap *m);

#endif
