/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PSVC_HANDLERS_PSVC_H
#define PSVC_HANDLERS_PSVC_H

#include "obs/log_rate.h"
#include "patient-svc/store/store.h"
#include "rpc/client.h"

/* What a call may ask for at most; from the settings. */
struct psvc_limits {
	uint32_t items_max; /* in one batch */
	uint32_t page_size, page_size_max;
	uint32_t report_timeout_ms, reply_margin_ms, section_max; /* of the full view */
	size_t reply_bytes_max;                                   /* of the lists in one reply */
};

/* What the handlers of patient-svc hang off: ct_call_impl() gives it. Fixed after
 * start but for the atomics inside; any thread. */
struct psvc {
	struct psvc_limits limits;
	struct ct_log *log; /* NULL: silent */
	struct psvc_store *store;
	struct ct_client *report;        /* report-svc; owned by the host */
	struct ct_log_rate partial_rate; /* of "a section … is missing" */
};

#endif
