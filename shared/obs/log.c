/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conc/lock.h"
#include "conc/thread.h"
#include "obs/log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LOG_TAG = 0x6c6f67,
	SERVICE_SIZE = 64,
	RING_BYTES_DEFAULT = 256 * 1024,
	RING_BYTES_MIN = 8 * 1024,
	LENGTH_BYTES = 2, /* before each line in the ring */
	POLL_MS = 50,     /* how often a stuck write looks whether it is to give up */
	FREE_MS = 1000,   /* how long free waits for the lines that are left */
	FD_PATH_SIZE = 32,
};

struct log {
	struct ct_log pub;
	unsigned tag;
	/* fixed after new */
	int fd;
	bool fd_owned;
	bool fd_socket;
	enum ct_log_format format;
	char service[SERVICE_SIZE];
	pthread_t writer;
	unsigned char *ring;
	size_t ring_bytes;

	struct ct_lock lock;             /* rank LOG; protects everything below */
	struct ct_cond work;             /* a line was queued, or closing became true */
	struct ct_cond ended;            /* a line was written or dropped by the writer */
	size_t head, used;               /* bytes of the ring */
	uint64_t queued_n;               /* lines that went into the ring */
	uint64_t ended_n;                /* those the writer is done with */
	uint64_t written_n, unwritten_n; /* those it wrote, and could not write */
	uint64_t refused_n;              /* lines for which the ring had no room */
	unsigned flushers;
	bool idle; /* the writer waits for work */
	bool closing;

	atomic_bool give_up; /* relaxed: the writer stops within POLL_MS */

	/* the writer's own */
	uint64_t told_n;                /* lost lines of which it told */
	bool torn;                      /* the last line went out in part */
	char line[1 + CT_LOG_LINE_MAX]; /* a newline to end a torn line, then the line */
};

static struct log *log_of(struct ct_log *pub)
{
	struct log *log = CT_CONTAINER_OF(pub, struct log, pub);

	CT_TAG_CHECK(log, LOG_TAG);
	return log;
}

const char *ct_log_level_name(enum ct_log_level level)
{
	static const char *const names[] = {
		[CT_LOG_DEBUG] = "debug",
		[CT_LOG_INFO] = "info",
		[CT_LOG_WARN] = "warn",
		[CT_LOG_ERROR] = "error",
	};

	CT_CHECK(level >= CT_LOG_DEBUG && level <= CT_LOG_ERROR);
	return names[level];
}

const char *ct_log_format_name(enum ct_log_format format)
{
	return format == CT_LOG_JSON ? "json" : "logfmt";
}

/* ---- the ring: length, line, length, line, … --------------------------------- */

static void ring_put_locked(struct log *log, const void *bytes, size_t n) CT_REQUIRES(&log->lock)
{
	const size_t tail = (log->head + log->used) % log->ring_bytes;
	const size_t first = n < log->ring_bytes - tail ? n : log->ring_bytes - tail;

	memcpy(log->ring + tail, bytes, first);
	memcpy(log->ring, (const char *)bytes + first, n - first);
	log->used += n;
}

static void ring_take_locked(struct log *log, void *out, size_t n) CT_REQUIRES(&log->lock)
{
	const size_t first = n < log->ring_bytes - log->head ? n : log->ring_bytes - log->head;

	CT_CHECK(n <= log->used);
	memcpy(out, log->ring + log->head, first);
	memcpy((char *)out + first, log->ring, n - first);
	log->head = (log->head + n) % log->ring_bytes;
	log->used -= n;
}

static bool push_locked(struct log *log, const char *line, size_t len) CT_REQUIRES(&log->lock)
{
	const uint16_t n = (uint16_t)len;

	ct_lock_check_held(&log->lock);
	if (log->ring_bytes - log->used < LENGTH_BYTES + len)
		return false;
	ring_put_locked(log, &n, LENGTH_BYTES);
	ring_put_locked(log, line, len);
	log->queued_n++;
	return true;
}

static size_t pop_locked(struct log *log, char *out) CT_REQUIRES(&log->lock)
{
	uint16_t n;

	ct_lock_check_held(&log->lock);
	ring_take_locked(log, &n, LENGTH_BYTES);
	ring_take_locked(log, out, n);
	return n;
}

/* ---- the writer --------------------------------------------------------------- */

/* What could be written at once; -1 with errno. */
static ssize_t write_some(const struct log *log, const char *bytes, size_t n)
{
	if (log->fd_socket)
		return send(log->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(log->fd, bytes, n);
}

/* log->line[1 .. len]. False: the descriptor refused it, or give_up. */
static bool write_line(struct log *log, size_t len)
{
	const char *at = log->torn ? log->line : log->line + 1;
	const char *end = log->line + 1 + len;
	const char *line_begin = at;

	while (at < end) {
		struct pollfd p = { .fd = log->fd, .events = POLLOUT };
		ssize_t n;

		if (atomic_load_explicit(&log->give_up, memory_order_relaxed))
			break;
		if (poll(&p, 1, POLL_MS) == 0)
			continue;
		n = write_some(log, at, (size_t)(end - at));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break;
		if (n > 0)
			at += n;
	}
	if (at > line_begin)
		log->torn = at < end;
	return at == end;
}

/* Says how many lines are missing, once the ring has room again. */
static void tell_dropped(struct log *log, uint64_t dropped_n)
{
	const struct ct_log__head head = {
		.format = log->format,
		.level = CT_LOG_WARN,
		.service = log->service,
		.wall_us = ct_wall_us(),
	};
	const struct ct_log_field f = CT_UINT("lines", dropped_n - log->told_n);

	if (write_line(log, ct_log__format_line(log->line + 1, &head, "log lines dropped", &f, 1)))
		log->told_n = dropped_n;
}

/* Writes the oldest line of the ring. */
static void write_one(struct log *log, size_t len)
{
	const bool written = write_line(log, len);
	uint64_t dropped_n;
	bool room;

	ct_lock_acquire(&log->lock);
	if (written)
		log->written_n++;
	else
		log->unwritten_n++;
	dropped_n = log->unwritten_n + log->refused_n;
	room = log->used <= log->ring_bytes / 2;
	ct_lock_release(&log->lock);

	if (written && room && dropped_n != log->told_n)
		tell_dropped(log, dropped_n);
}

static void *writer_main(void *arg)
{
	struct log *log = arg;

	CT_TAG_CHECK(log, LOG_TAG);
	ct_lock_acquire(&log->lock);
	while (log->used > 0 || !log->closing) {
		size_t len;

		if (log->used == 0) {
			log->idle = true;
			ct_cond_wait(&log->work, &log->lock);
			log->idle = false;
			continue;
		}
		len = pop_locked(log, log->line + 1);
		ct_lock_release(&log->lock);

		write_one(log, len);

		ct_lock_acquire(&log->lock);
		log->ended_n++;
		if (log->flushers > 0)
			ct_cond_broadcast(&log->ended);
	}
	ct_lock_release(&log->lock);
	return NULL;
}

/* ---- life ----------------------------------------------------------------------- */

/* A descriptor of our own that does not block, for a pipe or a terminal: O_NONBLOCK
 * on the one we were given would change it for everybody who shares it. Where that
 * cannot be had, poll() before each write must do. */
static void open_fd(struct log *log, int fd)
{
	char path[FD_PATH_SIZE];
	struct stat st;

	log->fd = fd;
	if (fstat(fd, &st) != 0)
		return; /* each write will fail and count its line as dropped */
	log->fd_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0) {
		log->fd = fd;
		log->fd_owned = true;
	}
}

static void release(struct log *log)
{
	if (log->fd_owned)
		(void)close(log->fd); /* nothing is buffered in it */
	ct_cond_fini(&log->ended);
	ct_cond_fini(&log->work);
	ct_lock_fini(&log->lock);
	ct_mem_free(log->ring);
	CT_TAG_CLEAR(log);
	ct_mem_free(log);
}

ct_status ct_log_new(const struct ct_log_opts *opts, struct ct_log **ret_log)
{
	const size_t ring_bytes = opts->ring_bytes != 0 ? opts->ring_bytes : RING_BYTES_DEFAULT;
	const enum ct_log_level level = opts->level != 0 ? opts->level : CT_LOG_INFO;
	struct log *log;
	ct_status st;

	CT_CHECK(ring_bytes >= RING_BYTES_MIN);
	log = ct_mem_zalloc(1, sizeof(*log));
	if (log == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(log, LOG_TAG);
	ct_lock_init(&log->lock, CT_RANK_LOG);
	ct_cond_init(&log->work);
	ct_cond_init(&log->ended);
	atomic_init(&log->pub.level, (int)level);
	atomic_init(&log->give_up, false);
	log->format = opts->format;
	log->line[0] = '\n';
	if (opts->service != NULL)
		(void)snprintf(log->service, sizeof(log->service), "%s", opts->service);
	open_fd(log, opts->fd != 0 ? opts->fd : STDERR_FILENO);

	st = CT_RESOURCE_EXHAUSTED;
	log->ring_bytes = ring_bytes;
	log->ring = ct_mem_alloc(ring_bytes);
	if (log->ring == NULL)
		goto out;
	st = ct_thread_start(&log->writer, "ct-log", writer_main, log);
	if (st != CT_OK)
		goto out;
	*ret_log = &log->pub;
	log = NULL; /* the caller's */
out:
	if (log != NULL)
		release(log);
	return st;
}

/* Until all lines up to number `last` have left the ring. */
static bool wait_ended_locked(struct log *log, uint64_t last, ct_instant until)
	CT_REQUIRES(&log->lock)
{
	bool in_time = true;

	ct_lock_check_held(&log->lock);
	log->flushers++;
	while (log->ended_n < last && in_time)
		in_time = ct_cond_wait_until(&log->ended, &log->lock, until);
	log->flushers--;
	return log->ended_n >= last;
}

struct ct_log *ct_log_free(struct ct_log *log)
{
	const ct_instant until = ct_deadline_after_ms(ct_clock_system(), FREE_MS);
	struct log *self;

	if (log == NULL)
		return NULL;
	self = log_of(log);
	ct_lock_acquire(&self->lock);
	self->closing = true;
	ct_cond_signal(&self->work);
	(void)!wait_ended_locked(self, self->queued_n, until); /* late or not, it ends now */
	ct_lock_release(&self->lock);
	atomic_store_explicit(&self->give_up, true, memory_order_relaxed);
	ct_thread_join(self->writer);
	CT_CHECK(self->ended_n == self->queued_n);
	release(self);
	return NULL;
}

void ct_log_set_level(struct ct_log *log, enum ct_log_level level)
{
	if (log != NULL)
		atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

/* ---- writing ----------------------------------------------------------------------- */

void ct_log_write(struct ct_log *log, enum ct_log_level level, const char *msg,
		  const struct ct_log_field *fields, size_t n)
{
	char line[CT_LOG_LINE_MAX];
	struct ct_log__head head;
	struct log *self;
	size_t len;

	if (!ct_log_enabled(log, level))
		return;
	self = log_of(log);
	head = (struct ct_log__head){
		.format = self->format,
		.level = level,
		.service = self->service,
		.wall_us = ct_wall_us(),
	};
	len = ct_log__format_line(line, &head, msg, fields, n);

	ct_lock_acquire(&self->lock);
	if (!push_locked(self, line, len))
		self->refused_n++;
	else if (self->idle)
		ct_cond_signal(&self->work);
	ct_lock_release(&self->lock);
}

ct_status ct_log_flush(struct ct_log *log, uint32_t timeout_ms)
{
	struct log *self;
	bool ended;

	if (log == NULL)
		return CT_OK;
	self = log_of(log);
	ct_lock_acquire(&self->lock);
	ended = wait_ended_locked(self, self->queued_n,
				  ct_deadline_after_ms(ct_clock_system(), timeout_ms));
	ct_lock_release(&self->lock);
	return ended ? CT_OK : CT_DEADLINE_EXCEEDED;
}

void ct_log_stats(struct ct_log *log, struct ct_log_stats *ret_stats)
{
	struct log *self;

	*ret_stats = (struct ct_log_stats){ 0 };
	if (log == NULL)
		return;
	self = log_of(log);
	ct_lock_acquire(&self->lock);
	ret_stats->written = self->written_n;
	ret_stats->dropped = self->unwritten_n + self->refused_n;
	ret_stats->waiting = self->queued_n - self->written_n - self->unwritten_n;
	ct_lock_release(&self->lock);
}
