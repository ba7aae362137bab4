/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rpc/until.h"

#include "base/check.h"
#include "conc/latch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

bool until(bool (*fact)(void *arg), void *arg)
{
	const struct ct_clock *clk = ct_clock_system();
	const ct_instant end = ct_deadline_after_ms(clk, PATIENCE_MS);
	struct ct_latch never; /* gives the processor away between two looks */
	bool holds;

	ct_latch_init(&never, 1);
	while (!(holds = fact(arg)) && !ct_deadline_passed(clk, end))
		(void)!ct_latch_wait_until(&never, ct_deadline_after_ms(clk, 1));
	ct_latch_fini(&never);
	return holds;
}

unsigned open_descriptors_of(int pid)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	CT_CHECK(closedir(d) == 0);
	return n - 2; /* . and .. */
}

uint64_t resident_bytes_of(int pid)
{
	char path[64], line[128], *second;
	uint64_t pages;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	CT_CHECK(fgets(line, sizeof(line), f) != NULL);
	CT_CHECK(fclose(f) == 0);
	(void)strtoull(line, &second, 10); /* all pages, then those in memory */
	pages = strtoull(second, NULL, 10);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

unsigned open_descriptors(void)
{
	return open_descriptors_of(getpid()) - 1; /* the one that it is read with */
}

uint64_t resident_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 0; /* a sanitizer's own memory, such as what is freed and kept back, counts too */
#else
	return resident_bytes_of(getpid());
#endif
}

uint64_t raise_descriptor_limit(void)
{
	struct rlimit lim;

	CT_CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	lim.rlim_cur = lim.rlim_max;
	CT_CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	return lim.rlim_cur;
}
