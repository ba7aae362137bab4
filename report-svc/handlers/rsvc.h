/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSVC_HANDLERS_RSVC_H
#define RSVC_HANDLERS_RSVC_H

#include "obs/log.h"
#include "report-svc/store/store.h"

/* What a call may ask for at most; from the settings. */
struct rsvc_limits {
	uint32_t items_max;   /* in one batch */
	uint32_t results_max; /* in one report */
	uint32_t page_size, page_size_max;
	/* Of the list in one reply. A report that weighs a quarter of it is not taken:
	 * a page of one always fits. */
	size_t reply_bytes_max;
};

/* What the handlers of report-svc hang off: ct_call_impl() gives it. Fixed after
 * start; any thread. */
struct rsvc {
	struct rsvc_limits limits;
	struct ct_log *log; /* NULL: silent */
	struct rsvc_store *store;
};

#endif
