/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_STORE_STORE_INTERNAL_H
#define PSVC_STORE_STORE_INTERNAL_H

#include "clinic/store/table.h"
#include "patient-svc/store/store.h"

/* What the files of patient-svc/store share. Fixed after open. */
struct psvc_store {
	struct ct_store *base;
	struct clinic_table patients, cases, medications;
	/* statements made of the tables' columns; owned */
	char *find_in_study, *find_any;
	char *list_cases, *list_medications;
	char *search_all, *search_study, *search_site;
};

/* The statements of search.c, made at open. RESOURCE_EXHAUSTED: no memory. */
CT_MUST_USE ct_status psvc_store__make_search(struct psvc_store *s);

#endif
