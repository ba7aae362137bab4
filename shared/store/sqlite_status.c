/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_status.h"

#include <sqlite3.h>

#include <errno.h>

enum { PRIMARY_MASK = 0xFF };

static ct_status from_constraint(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return CT_ALREADY_EXISTS;
	default:
		return CT_FAILED_PRECONDITION;
	}
}

static ct_status from_ioerr(int rc, int sys_errno)
{
	switch (rc) {
	case SQLITE_IOERR_NOMEM:
		return CT_RESOURCE_EXHAUSTED;
	case SQLITE_IOERR_FSYNC: /* what was written may be gone after a power cut */
	case SQLITE_IOERR_DIR_FSYNC:
	case SQLITE_IOERR_SHORT_READ:
	case SQLITE_IOERR_CORRUPTFS:
	case SQLITE_IOERR_DATA:
		return CT_DATA_LOSS;
	default:
		/* SQLite itself knows only ENOSPC on write(), as SQLITE_FULL. */
		return sys_errno == ENOSPC || sys_errno == EDQUOT ? CT_RESOURCE_EXHAUSTED
								  : CT_INTERNAL;
	}
}

static ct_status from_cantopen(int sys_errno)
{
	const ct_status st = ct_status_from_errno(sys_errno);

	return st == CT_OK ? CT_NOT_FOUND : st;
}

ct_status ct_status_from_sqlite(int rc, int sys_errno)
{
	switch (rc & PRIMARY_MASK) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return CT_OK;
	case SQLITE_INTERRUPT:
		return CT_CANCELLED;
	case SQLITE_CONSTRAINT:
		return from_constraint(rc);
	case SQLITE_MISMATCH:
		return CT_FAILED_PRECONDITION;
	case SQLITE_BUSY:
	case SQLITE_PROTOCOL:
		return CT_UNAVAILABLE;
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		return CT_RESOURCE_EXHAUSTED;
	case SQLITE_READONLY:
		/* Moved: renamed or deleted while we have it open. */
		return rc == SQLITE_READONLY_DBMOVED ? CT_FAILED_PRECONDITION
						     : CT_PERMISSION_DENIED;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return CT_PERMISSION_DENIED;
	case SQLITE_CANTOPEN:
		return from_cantopen(sys_errno);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return CT_DATA_LOSS;
	case SQLITE_IOERR:
		return from_ioerr(rc, sys_errno);
	case SQLITE_ABORT:
		return CT_ABORTED;
	default: /* ERROR, MISUSE, RANGE, SCHEMA, LOCKED, …: our own SQL or use is wrong */
		return CT_INTERNAL;
	}
}
