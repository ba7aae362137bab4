/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_STORE_MIGRATIONS_H
#define PSVC_STORE_MIGRATIONS_H

#include "store/migration.h"

/* The schema of patient-svc, step by step. A step that was released is never
 * edited; the columns of a table are those of its field table in domain/. */
enum { PSVC_MIGRATIONS_N = 1 };
extern const struct ct_migration psvc_migrations[PSVC_MIGRATIONS_N];

#define PSVC_APPLICATION_ID UINT32_C(0x43545031) /* "CTP1", marks the file as ours */

#endif
