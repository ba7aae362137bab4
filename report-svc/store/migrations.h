/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_STORE_MIGRATIONS_H
#define RSVC_STORE_MIGRATIONS_H

#include "store/migration.h"

/* The schema of report-svc, step by step. A step that was released is never
 * edited; the columns of visits are those of its field table in domain/. */
enum { RSVC_MIGRATIONS_N = 1 };
extern const struct ct_migration rsvc_migrations[RSVC_MIGRATIONS_N];

#define RSVC_APPLICATION_ID UINT32_C(0x43545231) /* "CTR1", marks the file as ours */

#endif
