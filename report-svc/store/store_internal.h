/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_STORE_STORE_INTERNAL_H
#define RSVC_STORE_STORE_INTERNAL_H

#include "clinic/store/table.h"
#include "report-svc/store/store.h"

/* What the files of report-svc/store share. Fixed after open. */
struct rsvc_store {
	struct ct_store *base;
	struct clinic_table visits;
	char *list_visits; /* a statement made of the table's columns; owned */
};

#endif
