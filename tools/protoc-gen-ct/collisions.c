/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A name the generated code defines, and on whose behalf. */
struct symbol {
	const char *name;
	const char *owner; /* full name of a service or method */
	const char *where;
	uint32_t hash; /* of a method */
};

struct symbols {
	struct symbol *at;
	size_t n;
};

static size_t count_methods(const struct gen_model *m)
{
	size_t n = 0;

	for (size_t f = 0; f < m->files_n; f++) {
		for (size_t s = 0; s < m->files[f].services_n; s++)
			n += 1 + m->files[f].services[s].methods_n;
	}
	return n;
}

static void add_service(struct gen *g, const struct gen_service *s, struct symbols *names)
{
	static const char *const tails[] = { "handlers", "methods", "register" };

	for (size_t i = 0; i < CT_ARRAY_N(tails); i++) {
		names->at[names->n++] = (struct symbol){
			.name = gen_strf(g, "%s_%s", s->prefix, tails[i]),
			.owner = s->full_name,
			.where = s->where,
		};
	}
}

static void add_method(struct gen *g, const struct gen_method *m, struct symbols *names)
{
	static const char *const tails[] = { "", "_async", "_method", "_reply", "_response" };

	for (size_t i = 0; i < CT_ARRAY_N(tails); i++) {
		names->at[names->n++] = (struct symbol){
			.name = gen_strf(g, "%s%s", m->stub, tails[i]),
			.owner = m->full_name,
			.where = m->where,
		};
	}
}

static void collect(struct gen *g, const struct gen_service *s, struct symbols *names,
		    struct symbols *methods)
{
	if (s->name == NULL) /* refused already */
		return;
	add_service(g, s, names);
	for (size_t i = 0; i < s->methods_n; i++) {
		const struct gen_method *m = &s->methods[i];

		if (m->name == NULL)
			continue;
		add_method(g, m, names);
		methods->at[methods->n++] = (struct symbol){
			.name = m->full_name,
			.owner = m->full_name,
			.where = m->where,
			.hash = m->hash,
		};
	}
}

static int by_name(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->owner, y->owner);
}

static int by_hash(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : strcmp(x->name, y->name);
}

static void check_names(struct gen *g, struct symbols *names)
{
	const struct symbol *said = NULL; /* one line for each pair of owners is enough */

	qsort(names->at, names->n, sizeof(*names->at), by_name);
	for (size_t i = 1; i < names->n; i++) {
		const struct symbol *a = &names->at[i - 1], *b = &names->at[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (said != NULL && said[0].owner == a->owner && said[1].owner == b->owner)
			continue;
		gen_error(g, b->where, "%s and %s (%s) would both define %s in C: rename one",
			  b->owner, a->owner, a->where, a->name);
		said = a;
	}
}

static void check_hashes(struct gen *g, struct symbols *methods)
{
	qsort(methods->at, methods->n, sizeof(*methods->at), by_hash);
	for (size_t i = 1; i < methods->n; i++) {
		const struct symbol *a = &methods->at[i - 1], *b = &methods->at[i];

		if (a->hash == b->hash && strcmp(a->name, b->name) != 0)
			gen_error(g, b->where,
				  "%s and %s (%s) have the same hash 0x%08" PRIx32
				  " on the wire: rename one",
				  b->owner, a->owner, a->where, a->hash);
	}
}

void gen_check_collisions(struct gen *g, const struct gen_model *m)
{
	enum { SYMBOLS_OF_ONE = 5 }; /* at most, of a service or of a method */
	const size_t max = count_methods(m);
	struct symbols names = { .at = gen_alloc(g, max * SYMBOLS_OF_ONE, sizeof(*names.at)) };
	struct symbols methods = { .at = gen_alloc(g, max, sizeof(*methods.at)) };

	for (size_t f = 0; f < m->files_n; f++) {
		for (size_t s = 0; s < m->files[f].services_n; s++)
			collect(g, &m->files[f].services[s], &names, &methods);
	}
	check_names(g, &names);
	check_hashes(g, &methods);
}
