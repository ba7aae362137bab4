/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_RSVC_H
#define RSVC_RSVC_H

#include "obs/log.h"
#include "report-svc/conf.h"
#include "report-svc/store/store.h"

/* What the handlers of report-svc hang off: ct_call_impl() gives it. Fixed after
 * start; any thread. */
struct rsvc {
	const struct rsvc_conf *conf;
	struct ct_log *log; /* NULL: silent */
	struct rsvc_store *store;
};

/* Room that a reply leaves in a message for header, meta and the page token. */
enum { RSVC_REPLY_SPARE_BYTES = 64 * 1024 };

/* A page ends before its items weigh more than this, and a report that weighs a
 * quarter of it is not taken: a page of one always fits. */
static inline size_t rsvc_page_bytes_max(const struct rsvc *app)
{
	return app->conf->service.net.msg_bytes_max - RSVC_REPLY_SPARE_BYTES;
}

static inline size_t rsvc_report_bytes_max(const struct rsvc *app)
{
	return rsvc_page_bytes_max(app) / 4;
}

#endif
