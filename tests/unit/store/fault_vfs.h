/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_STORE_FAULT_VFS_H
#define CT_TESTS_STORE_FAULT_VFS_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * A file system for SQLite that fails on demand and remembers what would survive
 * a power cut: every xSync copies the whole file to "<file>.synced". Between the
 * default one and the disk; one at a time, for the rest of the process.
 */
struct fault_vfs {
	atomic_int write_rc;         /* of every write to database and log; 0: it works */
	atomic_int sync_rc;          /* of every sync of either */
	atomic_int database_sync_rc; /* of those of the database alone */
	atomic_uint log_syncs;
	atomic_bool read_only; /* opens find a file that may only be read */
};

/* Becomes the default; all stores opened from now on use it. */
struct fault_vfs *fault_vfs_install(void);

#endif
