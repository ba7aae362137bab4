/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/keymap.h"

#include "base/check.h"
#include "base/mem.h"

enum { SLOTS_FIRST = 1024 }; /* a power of two; doubled when three quarters are taken */

struct slot {
	struct sdtm_key key; /* all zero: free */
	uint64_t value;
};

struct sdtm_keymap {
	struct slot *slots;
	size_t slots_n, used_n, max_n;
};

void sdtm_key_init(struct sdtm_key *key)
{
	key->a = UINT64_C(0xcbf29ce484222325);
	key->b = UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t rotl(uint64_t x, unsigned n)
{
	return (x << n) | (x >> (64 - n));
}

/* Two unlike digests side by side: FNV-1a, and rotate-xor-multiply. */
static void add_byte(struct sdtm_key *key, unsigned char c)
{
	key->a = (key->a ^ c) * UINT64_C(0x100000001b3);
	key->b = (rotl(key->b, 5) ^ c) * UINT64_C(0x517cc1b727220a95);
}

void sdtm_key_add(struct sdtm_key *key, const char *text)
{
	for (; *text != '\0'; text++)
		add_byte(key, (unsigned char)*text);
	add_byte(key, '\0'); /* fields hold no NUL */
	if (key->a == 0 && key->b == 0)
		key->a = 1; /* zero means a free slot */
}

struct sdtm_keymap *sdtm_keymap_new(size_t max_n)
{
	struct sdtm_keymap *m = ct_mem_zalloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->slots = ct_mem_zalloc(SLOTS_FIRST, sizeof(*m->slots));
	if (m->slots == NULL) {
		ct_mem_free(m);
		return NULL;
	}
	m->slots_n = SLOTS_FIRST;
	m->max_n = max_n;
	return m;
}

struct sdtm_keymap *sdtm_keymap_free(struct sdtm_keymap *m)
{
	if (m == NULL)
		return NULL;
	ct_mem_free(m->slots);
	ct_mem_free(m);
	return NULL;
}

static bool is_free(const struct slot *s)
{
	return s->key.a == 0 && s->key.b == 0;
}

/* The key's slot, or the free one where it belongs. */
static struct slot *find(const struct sdtm_keymap *m, const struct sdtm_key *key)
{
	size_t i = (size_t)((key->a ^ (key->a >> 32)) & (m->slots_n - 1));

	while (!is_free(&m->slots[i]) &&
	       (m->slots[i].key.a != key->a || m->slots[i].key.b != key->b))
		i = (i + 1) & (m->slots_n - 1);
	return &m->slots[i];
}

static bool grow(struct sdtm_keymap *m)
{
	struct sdtm_keymap bigger = *m;

	bigger.slots_n = 2 * m->slots_n;
	bigger.slots = ct_mem_zalloc(bigger.slots_n, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < m->slots_n; i++) {
		if (!is_free(&m->slots[i]))
			*find(&bigger, &m->slots[i].key) = m->slots[i];
	}
	ct_mem_free(m->slots);
	*m = bigger;
	return true;
}

uint64_t *sdtm_keymap_get(struct sdtm_keymap *m, const struct sdtm_key *key)
{
	struct slot *s = find(m, key);

	return is_free(s) ? NULL : &s->value;
}

uint64_t *sdtm_keymap_put(struct sdtm_keymap *m, const struct sdtm_key *key, bool *ret_new)
{
	struct slot *s = find(m, key);

	CT_CHECK(key->a != 0 || key->b != 0);
	if (!is_free(s)) {
		*ret_new = false;
		return &s->value;
	}
	if (m->used_n == m->max_n)
		return NULL;
	if (m->used_n >= m->slots_n / 4 * 3) {
		if (!grow(m))
			return NULL;
		s = find(m, key);
	}
	s->key = *key;
	m->used_n++;
	*ret_new = true;
	return &s->value;
}

size_t sdtm_keymap_n(const struct sdtm_keymap *m)
{
	return m->used_n;
}
