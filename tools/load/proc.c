/* SPDX-License-Identifier: Apache-2.0 */
#include "load/proc.h"

#include "base/attrs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define KIB 1024

/* /proc/PID/stat, counted from the state, which follows the name's closing bracket. */
enum { FIELD_UTIME = 11, FIELD_STIME = 12, FIELD_THREADS = 17, FIELD_RSS = 21, STAT_BYTES = 1024 };

static bool read_stat(int pid, char *text, size_t size)
{
	char path[64];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(text, 1, size - 1, f);
	(void)fclose(f); /* only read */
	text[n] = '\0';
	return n > 0;
}

bool load_proc_read(int pid, struct load_proc *ret)
{
	const int64_t ticks = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	int64_t field[FIELD_RSS + 1] = { 0 };
	char text[STAT_BYTES], *at;

	if (ticks <= 0 || page <= 0 || !read_stat(pid, text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ' || at[2] == '\0')
		return false;
	at += 3; /* behind the one letter of the state */
	for (size_t i = 1; i < CT_ARRAY_N(field); i++) {
		char *end;

		errno = 0;
		field[i] = strtoll(at, &end, 10);
		if (end == at || errno != 0)
			return false;
		at = end;
	}
	ret->cpu_ns = (field[FIELD_UTIME] + field[FIELD_STIME]) * (NS_PER_S / ticks);
	ret->threads = (uint32_t)field[FIELD_THREADS];
	ret->rss_kib = (uint64_t)(field[FIELD_RSS] * page / KIB);
	return true;
}
