/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load/load.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a run measured, for programs and for people. One thread at a time. */

double load_calls_per_s(const struct load_result *r); /* all that ended; 0: no time passed */

/* Members of a JSON object, from `"calls": …` on, without braces: counts, by_status (those
 * over 0, by name), calls_per_s, ok_per_s, elapsed_ns, cpu_ns, and latency_ns, failed_ns
 * and late_ns as load_report_json_times() writes them. */
void load_report_json(const struct load_result *r, FILE *out);
/* {"count": …, "mean": …, "p50": …, "p90": …, "p99": …, "p999": …, "max": …} */
void load_report_json_times(const struct load_hist *h, FILE *out);
/* A string with its quotes. Bytes that are not printable ASCII become '?'. */
void load_report_json_string(const char *text, FILE *out);

/* Rate, statuses, percentiles, and the histogram as bars of `columns` characters at most. */
void load_report_text(const struct load_result *r, FILE *out, unsigned columns);
/* How far a run is, in one line without its end. */
void load_report_line(const struct load_result *so_far, FILE *out);

#ifdef __cplusplus
}
#endif

#endif
