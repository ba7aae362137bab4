/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_turn.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static struct flock first_byte(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
}

void ct_turn_init(struct ct_turn *t, const char *path)
{
	char name[PATH_MAX];
	const int len = snprintf(name, sizeof(name), "%s-turn", path);

	t->fd = -1;
	if (len > 0 && (size_t)len < sizeof(name))
		t->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

void ct_turn_fini(struct ct_turn *t)
{
	if (t->fd >= 0)
		(void)close(t->fd); /* lets the lock go; nothing was written */
	t->fd = -1;
}

void ct_turn_want(struct ct_turn *t, bool want)
{
	struct flock lock = first_byte(want ? F_RDLCK : F_UNLCK);

	/* A shared lock meets no other kind; a failure costs fairness alone. Locks
	 * of the open file, not of the process, which any close() would drop. */
	if (t->fd >= 0)
		(void)fcntl(t->fd, F_OFD_SETLK, &lock);
}

bool ct_turn_wanted(const struct ct_turn *t)
{
	struct flock lock = first_byte(F_WRLCK);

	return t->fd >= 0 && fcntl(t->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
