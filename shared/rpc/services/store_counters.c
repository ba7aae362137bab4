/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/store_counters.h"

#include <string.h>

static size_t read_counters(void *store, struct ct_server_counter *out)
{
	struct ct_store_stats st;

	ct_store_stats(store, &st);
	{
		const struct ct_server_counter rows[] = {
			{ "store_accepted", st.accepted },
			{ "store_refused", st.refused },
			{ "store_committed", st.committed },
			{ "store_failed", st.failed },
			{ "store_cancelled", st.cancelled },
			{ "store_queued", st.queued },
			{ "store_running", st.running },
			{ "store_reruns", st.reruns },
			{ "store_commits", st.commits },
			{ "store_commits_failed", st.commits_failed },
			{ "store_checkpoints", st.checkpoints },
			{ "store_busy_waits", st.busy_waits },
			{ "store_reads", st.reads },
			{ "store_reads_failed", st.reads_failed },
			{ "store_reads_cancelled", st.reads_cancelled },
			{ "store_reader_waits", st.reader_waits },
		};

		_Static_assert(CT_ARRAY_N(rows) <= CT_SERVER_COUNTERS_MAX, "room for all");
		memcpy(out, rows, sizeof(rows));
		return CT_ARRAY_N(rows);
	}
}

void ct_store_counters_show(struct ct_server *s, struct ct_store *store)
{
	ct_server_show_counters(s, read_counters, store);
}
