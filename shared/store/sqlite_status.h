/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_STORE_SQLITE_STATUS_H
#define CT_STORE_SQLITE_STATUS_H

#include "base/status.h"

/* The one translation of SQLite's result codes. rc is an extended code; sys_errno
 * is sqlite3_system_errno() of the connection, 0 when unknown. SQLITE_INTERRUPT
 * reads CANCELLED: whoever stopped the statement knows better. */
ct_status ct_status_from_sqlite(int rc, int sys_errno);

#endif
