/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_PSVC_H
#define PSVC_PSVC_H

#include "obs/log_rate.h"
#include "patient-svc/conf.h"
#include "patient-svc/store/store.h"
#include "rpc/client.h"

/* What the handlers of patient-svc hang off: ct_call_impl() gives it. Fixed after
 * start but for the atomics inside; any thread. */
struct psvc {
	const struct psvc_conf *conf;
	struct ct_log *log; /* NULL: silent */
	struct psvc_store *store;
	struct ct_client *report; /* report-svc; owned by the host */
	struct ct_log_rate partial_rate; /* of "the view is incomplete" */
};

/* Room that a reply leaves in a message for header, meta and what is not a list. */
enum { PSVC_REPLY_SPARE_BYTES = 64 * 1024 };

static inline size_t psvc_reply_bytes_max(const struct psvc *app)
{
	return app->conf->service.net.msg_bytes_max - PSVC_REPLY_SPARE_BYTES;
}

#endif
