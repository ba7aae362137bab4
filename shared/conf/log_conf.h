/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_CONF_LOG_CONF_H
#define CT_CONF_LOG_CONF_H

#include "conf/conf.h"
#include "obs/log.h"

/* The settings log.level, log.format and log.buffer_bytes, the same in every service. */
struct ct_log_conf {
	enum ct_log_level level;
	enum ct_log_format format;
	uint32_t buffer_bytes;
};

enum { CT_LOG_CONF_ROWS_N = 3 };
extern const struct ct_conf_row ct_log_conf_rows[CT_LOG_CONF_ROWS_N];

/* One entry of a schema's tables; f is the struct ct_log_conf in the service's struct s. */
#define CT_LOG_CONF_TABLE(s, f)                                             \
	{                                                                   \
		ct_log_conf_rows, CT_LOG_CONF_ROWS_N, offsetof(s, f), "log" \
	}

/* Borrows service. Writes to stderr. */
struct ct_log_opts ct_log_conf_opts(const struct ct_log_conf *conf, const char *service);

#endif
