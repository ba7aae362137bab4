/* SPDX-License-Identifier: Apache-2.0 */
#include "patient-svc/domain/detail.h"

#include <protobuf-c/protobuf-c.h>

enum { ITEM_HEAD_BYTES = 6 /* tag and length of an item, at most */ };

const char *psvc_section_name(Clinic__V1__Section section)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
		&clinic__v1__section__descriptor, (int)section);

	return v != NULL ? v->name : "SECTION_UNSPECIFIED";
}

bool psvc_sections_asked(const Clinic__V1__Section *list, size_t n, uint32_t *ret_mask)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		if ((int)list[i] < 1 || (int)list[i] > PSVC_SECTIONS_N)
			return false;
		mask |= PSVC_SECTION_BIT(list[i]);
	}
	for (unsigned s = 1; n == 0 && s <= PSVC_SECTIONS_N; s++)
		mask |= PSVC_SECTION_BIT(s);
	*ret_mask = mask;
	return true;
}

Clinic__V1__SectionState psvc_section_state(ct_status st)
{
	switch (st) {
	case CT_OK:
		return CLINIC__V1__SECTION_STATE__OK;
	case CT_DEADLINE_EXCEEDED:
		return CLINIC__V1__SECTION_STATE__TIMEOUT;
	case CT_UNAVAILABLE:
	case CT_RESOURCE_EXHAUSTED:
		return CLINIC__V1__SECTION_STATE__UNAVAILABLE;
	case CT_CANCELLED:
	case CT_UNKNOWN:
	case CT_INVALID_ARGUMENT:
	case CT_NOT_FOUND:
	case CT_ALREADY_EXISTS:
	case CT_PERMISSION_DENIED:
	case CT_FAILED_PRECONDITION:
	case CT_ABORTED:
	case CT_OUT_OF_RANGE:
	case CT_UNIMPLEMENTED:
	case CT_INTERNAL:
	case CT_DATA_LOSS:
	case CT_UNAUTHENTICATED:
		break;
	}
	return CLINIC__V1__SECTION_STATE__ERROR;
}

uint32_t psvc_section_max(uint32_t asked, uint32_t max)
{
	return asked == 0 || asked > max ? max : asked;
}

const char *psvc_lookup_fault(ct_status st)
{
	if (st == CT_NOT_FOUND)
		return "there is no such subject";
	if (st == CT_FAILED_PRECONDITION)
		return "several studies have this subject: name study_id";
	return NULL;
}

/* One list of the view. */
struct list {
	Clinic__V1__Section section;
	size_t *n;
	const void *items; /* of pointers to messages; NULL while *n is 0 */
	size_t bytes;
};

static size_t item_bytes(const struct list *l, size_t i)
{
	const ProtobufCMessage *const *items = l->items;

	return protobuf_c_message_get_packed_size(items[i]) + ITEM_HEAD_BYTES;
}

static struct list *longest(struct list *lists, size_t n)
{
	struct list *found = NULL;

	for (size_t i = 0; i < n; i++)
		if (*lists[i].n > 0 && (found == NULL || lists[i].bytes > found->bytes))
			found = &lists[i];
	return found;
}

static void mark(Clinic__V1__GetPatientDetailResponse *resp, const struct list *l)
{
	for (size_t i = 0; i < resp->n_sections; i++) {
		if (resp->sections[i]->section == l->section) {
			resp->sections[i]->count = (uint32_t)*l->n;
			resp->sections[i]->truncated = true;
		}
	}
}

void psvc_detail_trim(Clinic__V1__GetPatientDetailResponse *resp, size_t bytes_max)
{
	struct list lists[] = {
		{ CLINIC__V1__SECTION__CASES, &resp->n_cases, resp->cases, 0 },
		{ CLINIC__V1__SECTION__MEDICATIONS, &resp->n_medications, resp->medications, 0 },
		{ CLINIC__V1__SECTION__LAB_REPORTS, &resp->n_lab_reports, resp->lab_reports, 0 },
		{ CLINIC__V1__SECTION__VITALS, &resp->n_vital_signs, resp->vital_signs, 0 },
		{ CLINIC__V1__SECTION__VISITS, &resp->n_visits, resp->visits, 0 },
	};
	size_t total = clinic__v1__get_patient_detail_response__get_packed_size(resp);

	if (total <= bytes_max)
		return;
	for (size_t i = 0; i < CT_ARRAY_N(lists); i++)
		for (size_t k = 0; k < *lists[i].n; k++)
			lists[i].bytes += item_bytes(&lists[i], k);
	while (total > bytes_max) {
		struct list *l = longest(lists, CT_ARRAY_N(lists));
		size_t bytes;

		if (l == NULL)
			return;
		bytes = item_bytes(l, --*l->n);
		l->bytes -= bytes;
		/* what an item takes at least: never counts as gone what is still there */
		total -= bytes - ITEM_HEAD_BYTES + 2;
		mark(resp, l);
	}
}

bool psvc_detail_complete(const Clinic__V1__GetPatientDetailResponse *resp)
{
	for (size_t i = 0; i < resp->n_sections; i++)
		if (resp->sections[i]->state != CLINIC__V1__SECTION_STATE__OK ||
		    resp->sections[i]->truncated)
			return false;
	return true;
}
