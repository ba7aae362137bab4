/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_CHECK_H
#define CT_BASE_CHECK_H

/*
 * CT_CHECK states a fact about our own code. It stays on in release builds and
 * aborts: a broken invariant in a clinical data path must not run on.
 * Anything a peer, an operator or the kernel can cause is a ct_status instead.
 */
_Noreturn void ct_check_failed(const char *file, int line, const char *func, const char *what);

#define CT_CHECK(cond)                                                        \
	do {                                                                  \
		if (!(cond))                                                  \
			ct_check_failed(__FILE__, __LINE__, __func__, #cond); \
	} while (0)

/* "a implies b", for invariants. */
#define CT_IMPLIES(a, b) (!(a) || (b))

/* Tag an object whose pointer travels through void *. */
#define CT_TAG_SET(obj, value) ((obj)->tag = (value))
#define CT_TAG_CHECK(obj, value)                 \
	do {                                     \
		CT_CHECK((obj) != NULL);         \
		CT_CHECK((obj)->tag == (value)); \
	} while (0)
#define CT_TAG_CLEAR(obj) ((obj)->tag = 0)

#endif
