/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_LOG_H
#define CT_OBS_LOG_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Structured log lines: a constant message and typed fields, never values
 * inside free text. A line is made on the caller's thread, waits in a bounded
 * ring and is written by the thread "ct-log" with one write(2), so lines never
 * interleave and a stuck reader stops nobody: when the ring is full, lines are
 * dropped and counted, and the count is logged once there is room.
 *
 *   ts=2025-03-01T08:00:00.000123Z level=info service=report-svc msg="call finished"
 *   method=clinic.v1.ReportService/GetReports status=OK handler_us=812
 *
 * Values are data from strangers: quotes, control characters, line separators
 * and direction overrides are escaped, invalid UTF-8 becomes U+FFFD, other
 * text (Chinese names of sites, say) stays readable. A patient's name is never
 * a value.
 *
 * Life: new -> (write | flush)* -> free. Any thread; nothing blocks but flush
 * and free. A NULL log is valid everywhere and drops everything.
 */
enum ct_log_level {
	CT_LOG_DEBUG = 1,
	CT_LOG_INFO,
	CT_LOG_WARN,
	CT_LOG_ERROR,
};

enum ct_log_format {
	CT_LOG_LOGFMT,
	CT_LOG_JSON, /* one object a line, the same keys */
};

enum {
	/* Bytes with the newline: PIPE_BUF, so that a pipe takes a line whole or not at all. */
	CT_LOG_LINE_MAX = 4096,
	/* Bytes of a string value as shown; the mark "…(+N)" tells how many it has beyond. */
	CT_LOG_VALUE_MAX = 1024,
};

const char *ct_log_level_name(enum ct_log_level level);    /* "info", static */
const char *ct_log_format_name(enum ct_log_format format); /* "json", static */

struct ct_log_opts {
	const char *service;     /* the `service` field, 63 bytes are copied; NULL: no such field */
	int fd;                  /* not owned, open until free; 0: 2 (stderr) */
	enum ct_log_level level; /* lower ones are dropped; 0: INFO */
	enum ct_log_format format; /* 0: logfmt */
	uint32_t ring_bytes;       /* lines that wait to be written; 0: 256 KiB; at least 8 KiB */
};

/* `level` is read by ct_log_enabled(); everything else is private to log.c. */
struct ct_log {
	atomic_int level; /* relaxed: a filter */
};

/* RESOURCE_EXHAUSTED: no memory or thread. */
CT_MUST_USE ct_status ct_log_new(const struct ct_log_opts *opts, struct ct_log **ret_log);

/* Flushes for up to one second, then drops the rest. Nobody may write any more.
 * NULL ok; returns NULL. */
struct ct_log *ct_log_free(struct ct_log *log);

void ct_log_set_level(struct ct_log *log, enum ct_log_level level);

/* One relaxed load. False for a NULL log. */
static inline bool ct_log_enabled(const struct ct_log *log, enum ct_log_level level)
{
	return log != NULL && (int)level >= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* ---- fields ---------------------------------------------------------------- */

enum ct_log_kind {
	CT_LOG_KIND_STR,
	CT_LOG_KIND_INT,
	CT_LOG_KIND_UINT,
	CT_LOG_KIND_HEX,
	CT_LOG_KIND_BOOL,
	CT_LOG_KIND_ID,
};

/* Borrows key and value until ct_log_write() returns. Made by the macros below. */
struct ct_log_field {
	const char *key; /* lower-case words joined by '_', a literal; units last: "handler_us" */
	enum ct_log_kind kind;
	union {
		struct ct_bytes str; /* ptr NULL: shown as empty */
		int64_t i;
		uint64_t u;
		bool b;
		struct ct_id id;
	} v;
};

static inline struct ct_log_field ct_log_field_str(const char *key, struct ct_bytes v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_STR, .v = { .str = v } };
}

static inline struct ct_log_field ct_log_field_cstr(const char *key, const char *v)
{
	return ct_log_field_str(key, v != NULL ? ct_bytes_of_str(v) : CT_BYTES_NONE);
}

static inline struct ct_log_field ct_log_field_int(const char *key, int64_t v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_INT, .v = { .i = v } };
}

static inline struct ct_log_field ct_log_field_uint(const char *key, uint64_t v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_UINT, .v = { .u = v } };
}

static inline struct ct_log_field ct_log_field_hex(const char *key, uint64_t v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_HEX, .v = { .u = v } };
}

static inline struct ct_log_field ct_log_field_bool(const char *key, bool v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_BOOL, .v = { .b = v } };
}

static inline struct ct_log_field ct_log_field_id(const char *key, const struct ct_id *v)
{
	return (struct ct_log_field){ .key = key, .kind = CT_LOG_KIND_ID, .v = { .id = *v } };
}

#define CT_STR(key, cstr) ct_log_field_cstr(key, cstr) /* NULL: "" */
#define CT_STRN(key, ptr, len) ct_log_field_str(key, ct_bytes_of(ptr, len))
#define CT_INT(key, v) ct_log_field_int(key, v)
#define CT_UINT(key, v) ct_log_field_uint(key, v)
#define CT_US(key, v) ct_log_field_uint(key, v) /* key ends in _us */
#define CT_HEX(key, v) ct_log_field_hex(key, v) /* 16 digits: a span id */
#define CT_BOOL(key, v) ct_log_field_bool(key, v)
#define CT_ID(key, id) ct_log_field_id(key, id)                       /* const struct ct_id * */
#define CT_STATUS(key, st) ct_log_field_cstr(key, ct_status_name(st)) /* the name: "OK" */

/* ---- writing ------------------------------------------------------------------ */

/* msg is a constant sentence without values. Fields that do not fit the line are
 * left out and their number stands in a last field `cut`. */
void ct_log_write(struct ct_log *log, enum ct_log_level level, const char *msg,
		  const struct ct_log_field *fields, size_t n);

/* With at least one field; the fields are not evaluated when the level is off:
 *   CT_LOG(log, CT_LOG_INFO, "call finished", CT_STR("method", m), CT_US("handler_us", us)); */
#define CT_LOG(log, level, msg, ...)                                                       \
	do {                                                                               \
		if (ct_log_enabled(log, level)) {                                          \
			const struct ct_log_field ct_fields_[] = { __VA_ARGS__ };          \
			ct_log_write(log, level, msg, ct_fields_, CT_ARRAY_N(ct_fields_)); \
		}                                                                          \
	} while (0)

/* Blocks until every line written before is with the kernel or was dropped.
 * DEADLINE_EXCEEDED: not within timeout_ms. NULL log: OK. */
CT_MUST_USE ct_status ct_log_flush(struct ct_log *log, uint32_t timeout_ms);

/* written + dropped + waiting = all lines that passed the level. */
struct ct_log_stats {
	uint64_t written; /* given to the kernel */
	uint64_t dropped; /* the ring was full, or the descriptor refused the line */
	uint64_t waiting;
};
void ct_log_stats(struct ct_log *log, struct ct_log_stats *ret_stats); /* NULL log: zeros */

#endif
