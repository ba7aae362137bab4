/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/fault_vfs.h"

#include "base/check.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
	sqlite3_file base;  /* first: SQLite's view */
	sqlite3_file *real; /* in the memory behind */
	const char *path;   /* SQLite's; NULL: a temporary one */
	int flags;
};

static struct fault_vfs faults;
static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;

static struct file *of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static bool watched(const struct file *f)
{
	return (f->flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
}

#define REAL(f) (of(f)->real->pMethods)

static int x_close(sqlite3_file *f)
{
	return REAL(f)->xClose(of(f)->real);
}

static int x_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	return REAL(f)->xRead(of(f)->real, buf, n, at);
}

static int x_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	const int rc = atomic_load(&faults.write_rc);

	return rc != 0 && watched(of(f)) ? rc : REAL(f)->xWrite(of(f)->real, buf, n, at);
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return REAL(f)->xTruncate(of(f)->real, size);
}

/* What is in the file now is what a power cut would leave. */
static void remember(struct file *f)
{
	sqlite3_int64 size = 0;
	char path[256];
	void *bytes;
	FILE *out;

	CT_CHECK(snprintf(path, sizeof(path), "%s.synced", f->path) < (int)sizeof(path));
	CT_CHECK(f->real->pMethods->xFileSize(f->real, &size) == SQLITE_OK);
	bytes = malloc((size_t)size + 1);
	CT_CHECK(bytes != NULL);
	if (size > 0)
		CT_CHECK(f->real->pMethods->xRead(f->real, bytes, (int)size, 0) == SQLITE_OK);
	out = fopen(path, "wb");
	CT_CHECK(out != NULL);
	CT_CHECK(fwrite(bytes, 1, (size_t)size, out) == (size_t)size);
	CT_CHECK(fclose(out) == 0);
	free(bytes);
}

static int x_sync(sqlite3_file *f, int flags)
{
	int rc = watched(of(f)) ? atomic_load(&faults.sync_rc) : SQLITE_OK;

	if (rc == SQLITE_OK && (of(f)->flags & SQLITE_OPEN_MAIN_DB) != 0)
		rc = atomic_load(&faults.database_sync_rc);
	if (rc == SQLITE_OK)
		rc = REAL(f)->xSync(of(f)->real, flags);
	if (rc != SQLITE_OK || !watched(of(f)))
		return rc;
	remember(of(f));
	if ((of(f)->flags & SQLITE_OPEN_WAL) != 0)
		atomic_fetch_add(&faults.log_syncs, 1);
	return rc;
}

static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return REAL(f)->xFileSize(of(f)->real, size);
}

static int x_lock(sqlite3_file *f, int level)
{
	return REAL(f)->xLock(of(f)->real, level);
}

static int x_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->xUnlock(of(f)->real, level);
}

static int x_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->xCheckReservedLock(of(f)->real, out);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->xFileControl(of(f)->real, op, arg);
}

static int x_sector(sqlite3_file *f)
{
	return REAL(f)->xSectorSize(of(f)->real);
}

static int x_device(sqlite3_file *f)
{
	return REAL(f)->xDeviceCharacteristics(of(f)->real);
}

static int x_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
	return REAL(f)->xShmMap(of(f)->real, region, size, extend, out);
}

static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return REAL(f)->xShmLock(of(f)->real, offset, n, flags);
}

static void x_shm_barrier(sqlite3_file *f)
{
	REAL(f)->xShmBarrier(of(f)->real);
}

static int x_shm_unmap(sqlite3_file *f, int remove_it)
{
	return REAL(f)->xShmUnmap(of(f)->real, remove_it);
}

static int x_open(sqlite3_vfs *v, sqlite3_filename path, sqlite3_file *f, int flags, int *out)
{
	struct file *file = of(f);
	int rc;

	(void)v;
	file->base.pMethods = NULL;
	file->path = path;
	file->flags = flags;
	file->real = (sqlite3_file *)(void *)(file + 1);
	if (atomic_load(&faults.read_only) && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
		flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
		flags |= SQLITE_OPEN_READONLY;
	}
	rc = real_vfs->xOpen(real_vfs, path, file->real, flags, out);
	if (file->real->pMethods != NULL)
		file->base.pMethods = &methods;
	return rc;
}

struct fault_vfs *fault_vfs_install(void)
{
	static sqlite3_vfs vfs;

	real_vfs = sqlite3_vfs_find(NULL);
	CT_CHECK(real_vfs != NULL);
	methods = (sqlite3_io_methods){
		.iVersion = 2,
		.xClose = x_close,
		.xRead = x_read,
		.xWrite = x_write,
		.xTruncate = x_truncate,
		.xSync = x_sync,
		.xFileSize = x_size,
		.xLock = x_lock,
		.xUnlock = x_unlock,
		.xCheckReservedLock = x_reserved,
		.xFileControl = x_control,
		.xSectorSize = x_sector,
		.xDeviceCharacteristics = x_device,
		.xShmMap = x_shm_map,
		.xShmLock = x_shm_lock,
		.xShmBarrier = x_shm_barrier,
		.xShmUnmap = x_shm_unmap,
	};
	vfs = *real_vfs; /* the other functions do not look at which one they were called on */
	vfs.zName = "ct-fault";
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = x_open;
	CT_CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
	return &faults;
}
