/* SPDX-License-Identifier: Apache-2.0 */
#include "clinic/domain/outcome.h"

#include "base/check.h"

enum { KEY_SIZE = 320 };

ct_status clinic_outcomes_init(struct clinic_outcomes *o, struct ct_arena *arena, size_t n)
{
	Clinic__V1__ItemOutcome **v = ct_arena_alloc(arena,
						     (n + 1) * sizeof(Clinic__V1__ItemOutcome *));
	Clinic__V1__ItemOutcome *items = ct_arena_alloc(arena,
							(n + 1) * sizeof(Clinic__V1__ItemOutcome));

	if (v == NULL || items == NULL)
		return CT_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < n; i++) {
		clinic__v1__item_outcome__init(&items[i]);
		items[i].index = (uint32_t)i;
		v[i] = &items[i];
	}
	*o = (struct clinic_outcomes){ .arena = arena, .v = v, .n = n };
	return CT_OK;
}

ct_status clinic_outcome_key(struct clinic_outcomes *o, size_t i, const struct clinic_fields *t,
			     const void *item)
{
	char key[KEY_SIZE];
	char *copy;

	CT_CHECK(i < o->n);
	(void)clinic_fields_key(t, item, key, sizeof(key));
	copy = ct_arena_strdup(o->arena, key);
	if (copy == NULL)
		return CT_RESOURCE_EXHAUSTED;
	o->v[i]->key = copy;
	return CT_OK;
}

void clinic_outcome_stored(struct clinic_outcomes *o, size_t i, Clinic__V1__ItemOutcome__Kind kind,
			   uint64_t version)
{
	static char none[] = ""; /* never written */

	CT_CHECK(i < o->n);
	o->v[i]->kind = kind;
	o->v[i]->version = version;
	o->v[i]->code = 0;
	o->v[i]->field = o->v[i]->message = none;
}

ct_status clinic_outcome_reject(struct clinic_outcomes *o, size_t i,
				const struct clinic_issue *issue)
{
	char *field = ct_arena_strdup(o->arena, issue->field);
	char *message = ct_arena_strdup(o->arena, issue->message);

	CT_CHECK(i < o->n);
	CT_CHECK(issue->code != CT_OK);
	if (field == NULL || message == NULL)
		return CT_RESOURCE_EXHAUSTED;
	o->v[i]->kind = CLINIC__V1__ITEM_OUTCOME__KIND__REJECTED;
	o->v[i]->code = (int32_t)issue->code;
	o->v[i]->field = field;
	o->v[i]->message = message;
	o->v[i]->version = 0;
	return CT_OK;
}

bool clinic_outcome_is_rejected(const struct clinic_outcomes *o, size_t i)
{
	CT_CHECK(i < o->n);
	return o->v[i]->kind == CLINIC__V1__ITEM_OUTCOME__KIND__REJECTED;
}

struct clinic_outcome_counts clinic_outcomes_count(const struct clinic_outcomes *o)
{
	struct clinic_outcome_counts c = { 0, 0, 0, 0 };

	for (size_t i = 0; i < o->n; i++) {
		const Clinic__V1__ItemOutcome__Kind kind = o->v[i]->kind;

		c.created += kind == CLINIC__V1__ITEM_OUTCOME__KIND__CREATED;
		c.updated += kind == CLINIC__V1__ITEM_OUTCOME__KIND__UPDATED;
		c.unchanged += kind == CLINIC__V1__ITEM_OUTCOME__KIND__UNCHANGED;
		c.rejected += kind == CLINIC__V1__ITEM_OUTCOME__KIND__REJECTED;
	}
	return c;
}
