/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_METER_H
#define LOAD_METER_H

#include "load/load.h"

/*
 * Counts and times the ends of calls on as many threads as there are: each thread has a
 * shard to itself (threads past the sixteenth share), so that recording costs a few
 * nanoseconds. Any thread for record and read.
 */
struct load_meter;

struct load_meter *load_meter_new(void);                  /* NULL: no memory */
struct load_meter *load_meter_free(struct load_meter *m); /* NULL ok; returns NULL */

void load_meter_record(struct load_meter *m, int status, uint64_t ns);

/* Sets calls, ok, by_status, ok_ns and failed_ns of *ret alone. What was recorded before
 * the call is in; what is recorded meanwhile may be. */
void load_meter_read(const struct load_meter *m, struct load_result *ret);

#endif
