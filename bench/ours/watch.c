/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/ours/watch.h"

#include "base/check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct watch *watch_open(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	void *at = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof(struct watch)) == 0)
		at = mmap(NULL, sizeof(struct watch), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd); /* the mapping stays */
	return at != MAP_FAILED ? at : NULL;
}

void watch_close(struct watch *w)
{
	if (w != NULL)
		CT_CHECK(munmap(w, sizeof(*w)) == 0);
}

struct watch_cell *watch_cell_of(struct watch *w, struct ct_bytes payload)
{
	uint32_t i;

	if (payload.len < sizeof(i))
		return NULL;
	memcpy(&i, payload.ptr, sizeof(i));
	return i < WATCH_CELLS ? &w->cells[i] : NULL;
}

void watch_cell_reset(struct watch_cell *c, int64_t deadline_ns, uint32_t crowd)
{
	CT_CHECK(crowd < WATCH_CROWDS);
	atomic_store(&c->start_ns, 0);
	atomic_store(&c->end_ns, 0);
	atomic_store(&c->crowd, crowd);
	atomic_store(&c->gave_up_ns, deadline_ns);
}

void watch_started(struct watch_cell *c, int64_t now_ns)
{
	atomic_store(&c->start_ns, now_ns);
}

void watch_ended(struct watch *w, struct watch_cell *c, int64_t now_ns)
{
	const int64_t start = atomic_load(&c->start_ns);
	const int64_t cancelled = atomic_load(&w->cancelled_ns[atomic_load(&c->crowd)]);
	int64_t gave_up = atomic_load(&c->gave_up_ns);

	if (cancelled != 0 && cancelled < gave_up)
		gave_up = cancelled;
	atomic_fetch_add(&w->runs, 1);
	atomic_fetch_add(&w->worker_ns, (uint64_t)(now_ns - start));
	if (gave_up < start) {
		atomic_fetch_add(&w->useless, 1);
		gave_up = start;
	}
	if (gave_up < now_ns)
		atomic_fetch_add(&w->wasted_ns, (uint64_t)(now_ns - gave_up));
	atomic_store(&c->end_ns, now_ns);
}
