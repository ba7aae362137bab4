/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_OBS_LOG_INTERNAL_H
#define CT_OBS_LOG_INTERNAL_H

#include "obs/log.h"

/* What every line of a log begins with. */
struct ct_log__head {
	enum ct_log_format format;
	enum ct_log_level level;
	const char *service; /* "": no such field */
	int64_t wall_us;
};

/* Makes one line, newline last. Returns its length, 1..CT_LOG_LINE_MAX. Pure. */
size_t ct_log__format_line(char out[CT_LOG_LINE_MAX], const struct ct_log__head *head,
			   const char *msg, const struct ct_log_field *fields, size_t n);

#endif
