/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_TRACE_H
#define CT_OBS_TRACE_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "conc/ctx.h"

#include <stdbool.h>

/*
 * The trace of a call across processes, as W3C Trace Context writes it:
 *
 *   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *   version-trace id-span id-flags, lower-case hex
 *
 * Pure functions, any thread.
 */
enum {
	CT_TRACEPARENT_LEN = 55,
	CT_TRACEPARENT_SIZE = CT_TRACEPARENT_LEN + 1, /* with the NUL */
};

/* A trace of our own: fresh ids, neither of them zero. */
struct ct_trace ct_trace_new(void);

/* The same trace, a fresh span. The parent must not be zero. */
struct ct_trace ct_trace_child(const struct ct_trace *parent);

/* Version 00, flags 01: whoever speaks here has recorded the call. The trace
 * must not be zero in either part. */
void ct_trace_format(const struct ct_trace *trace, char out[CT_TRACEPARENT_SIZE]);

/* As strict as the specification: false for upper case, zero ids, version ff, a
 * version 00 of another length; of later versions the first 55 bytes count when
 * a '-' or nothing follows. *ret_trace is written only when true. */
CT_MUST_USE bool ct_trace_parse(struct ct_bytes text, struct ct_trace *ret_trace);

#endif
