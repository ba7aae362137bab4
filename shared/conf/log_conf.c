/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/log_conf.h"

enum {
	BUFFER_BYTES = 256 * 1024,
	BUFFER_BYTES_MIN = 8 * 1024,
	BUFFER_BYTES_MAX = 16 * 1024 * 1024
};

static const struct ct_conf_choice levels[] = {
	{ "debug", CT_LOG_DEBUG },
	{ "info", CT_LOG_INFO },
	{ "warn", CT_LOG_WARN },
	{ "error", CT_LOG_ERROR },
	{ NULL, 0 },
};

static const struct ct_conf_choice formats[] = {
	{ "logfmt", CT_LOG_LOGFMT },
	{ "json", CT_LOG_JSON },
	{ NULL, 0 },
};

const struct ct_conf_row ct_log_conf_rows[CT_LOG_CONF_ROWS_N] = {
	CT_CONF_ENUM(struct ct_log_conf, level, "level", CT_LOG_INFO, levels,
		     "lines below this level are dropped"),
	CT_CONF_ENUM(struct ct_log_conf, format, "format", CT_LOG_LOGFMT, formats,
		     "form of each line on stderr"),
	CT_CONF_UINT(struct ct_log_conf, buffer_bytes, "buffer_bytes", BUFFER_BYTES,
		     BUFFER_BYTES_MIN, BUFFER_BYTES_MAX,
		     "lines that wait to be written; beyond, lines are dropped and counted"),
};

struct ct_log_opts ct_log_conf_opts(const struct ct_log_conf *conf, const char *service)
{
	return (struct ct_log_opts){
		.service = service,
		.level = conf->level,
		.format = conf->format,
		.ring_bytes = conf->buffer_bytes,
	};
}
