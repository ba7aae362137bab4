/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/server_internal.h"

#include "base/check.h"
#include "base/mem.h"

enum {
	SERVER_TAG = 0x53727672,
	WORKERS = 8,
	QUEUE_MAX = 64,
	CALLS_MAX = 4096,
	MAX_DEADLINE_MS = 300000,
	DRAIN_MS = 5000,
	RETRY_AFTER_MS = 50,
	SLOW_CALL_MS = 1000,
	SHEDDABLE_PERCENT = 50,
	PERCENT = 100,
	RESERVE_PERCENT_MAX = 90,
	RING_RECORDS = 512,
	TOMBSTONE_MS_MAX = 60000,
	MSG_BYTES_MIN = 64 * 1024, /* header, route and a full meta take 8 KiB of it */
	FLUSH_US = 1000000,        /* for peers that read slowly, at the very end */
};

/*                        grace over, or stop
 *   SERVING -> DRAINING ---------------------> CANCELLING -> STOPPED
 *                  \______ all calls ended _________________/          */
static const struct ct_sm_row server_rows[] = {
	[CT_SRV_SERVING] = { "serving", CT_SM_BIT(CT_SRV_DRAINING) },
	[CT_SRV_DRAINING] = { "draining",
			      CT_SM_BIT(CT_SRV_CANCELLING) | CT_SM_BIT(CT_SRV_STOPPED) },
	[CT_SRV_CANCELLING] = { "cancelling", CT_SM_BIT(CT_SRV_STOPPED) },
	[CT_SRV_STOPPED] = { "stopped", 0 },
};

#define DEFAULT(field, value) ((field) = (field) != 0 ? (field) : (value))

static void fill_defaults(struct ct_server_opts *o)
{
	DEFAULT(o->workers, WORKERS);
	DEFAULT(o->batch_workers_max, (uint16_t)(o->workers > 1 ? o->workers / 2 : 1));
	DEFAULT(o->queue_max, QUEUE_MAX);
	DEFAULT(o->calls_max, CALLS_MAX);
	DEFAULT(o->method_calls_max, o->calls_max);
	DEFAULT(o->max_deadline_ms, MAX_DEADLINE_MS);
	DEFAULT(o->drain_ms, DRAIN_MS);
	DEFAULT(o->retry_after_ms, RETRY_AFTER_MS);
	DEFAULT(o->slow_call_ms, SLOW_CALL_MS);
	DEFAULT(o->sheddable_queue_percent, SHEDDABLE_PERCENT);
	DEFAULT(o->version, "");
}

/* Shares are rounded in favour of who has none of its own: a reserve down, the part
 * of SHEDDABLE calls up. They leave the reserve alone too. */
static void divide_queue(struct ct_server *s)
{
	const uint32_t max = s->opts.queue_max;
	const uint32_t reserve = (uint32_t)((uint64_t)max * s->opts.critical_reserve_percent /
					    PERCENT);
	const uint32_t rest = (uint32_t)((uint64_t)max *
					 (PERCENT - s->opts.sheddable_queue_percent) / PERCENT);

	s->spare[CT_CRIT_CRITICAL] = 0;
	s->spare[CT_CRIT_DEFAULT] = reserve;
	s->spare[CT_CRIT_SHEDDABLE] = rest > reserve ? rest : reserve;
}

static ct_status make_parts(struct ct_server *s)
{
	const struct ct_ring_opts ring = { .records_max = RING_RECORDS,
					   .record_bytes = sizeof(struct ct_call_record) };
	const struct ct_pool_opts pool = {
		.workers = s->opts.workers,
		.batch_workers_max = s->opts.batch_workers_max,
		.queue_max = { s->opts.queue_max, s->opts.queue_max },
		.name = "ct-work",
		.rest = ct_call__rest,
	};
	const uint32_t stone_ms = s->opts.max_deadline_ms < TOMBSTONE_MS_MAX
					  ? s->opts.max_deadline_ms
					  : TOMBSTONE_MS_MAX;
	ct_status st;

	st = ct_ring_new(&ring, &s->ring);
	if (st != CT_OK)
		return st;
	st = ct_outlook_init(&s->outlook, pool.workers, pool.batch_workers_max);
	if (st != CT_OK)
		return st;
	st = ct_registry_new(stone_ms * UINT64_C(1000), &s->registry);
	if (st != CT_OK)
		return st;
	return ct_pool_new(&pool, &s->pool);
}

/* Of a half made one too. Nothing runs any more. */
static void release(struct ct_server *s)
{
	s->pool = ct_pool_free(s->pool);
	ct_call__free_all(s);
	s->registry = ct_registry_free(s->registry);
	ct_outlook_fini(&s->outlook);
	s->ring = ct_ring_free(s->ring);
	ct_mem_free(s->clients);
	ct_router_fini(&s->router);
	ct_cond_fini(&s->idle);
	ct_cond_fini(&s->moved);
	ct_lock_fini(&s->free_lock);
	ct_lock_fini(&s->lock);
	CT_TAG_CLEAR(s);
	ct_mem_free(s);
}

ct_status ct_server_new(const struct ct_server_opts *opts, struct ct_server **ret_server)
{
	struct ct_server *s;
	ct_status st;

	CT_CHECK(opts->rt != NULL);
	if (ct_net_msg_bytes_max(opts->rt->net) < MSG_BYTES_MIN ||
	    opts->sheddable_queue_percent > PERCENT ||
	    opts->critical_reserve_percent > RESERVE_PERCENT_MAX)
		return CT_INVALID_ARGUMENT;
	s = ct_mem_zalloc(1, sizeof(*s));
	if (s == NULL)
		return CT_RESOURCE_EXHAUSTED;
	CT_TAG_SET(s, SERVER_TAG);
	s->opts = *opts;
	fill_defaults(&s->opts);
	divide_queue(s);
	s->timers = opts->rt->timers;
	s->net = opts->rt->net;
	s->log = opts->rt->log;
	s->clk = ct_timers_clock(s->timers);
	s->msg_bytes_max = ct_net_msg_bytes_max(s->net);
	s->born = ct_now(s->clk);
	ct_lock_init(&s->lock, CT_RANK_SERVER);
	ct_lock_init(&s->free_lock, CT_RANK_CALL);
	ct_cond_init(&s->moved);
	ct_cond_init(&s->idle);
	ct_sm_init(&s->sm, server_rows, CT_SRV_SERVING, NULL);
	ct_srv__init_grace(s);
	ct_list_init(&s->watches);
	ct_list_init(&s->free_calls);
	ct_router_init(&s->router);
	st = make_parts(s);
	if (st != CT_OK) {
		release(s);
		return st;
	}
	*ret_server = s;
	return CT_OK;
}

ct_status ct_server_add(struct ct_server *s, const struct ct_method *m, ct_stub_handler_fn *invoke,
			const void *handlers, void *impl)
{
	CT_CHECK(s->listeners_n == 0); /* the router has no lock */
	return ct_router_add(&s->router, m, invoke, handlers, impl);
}

ct_status ct_server_show_client(struct ct_server *s, struct ct_client *client)
{
	struct ct_client **more;

	CT_CHECK(s->listeners_n == 0); /* Stats have no lock for it */
	more = ct_mem_realloc(s->clients, (s->clients_n + 1) * sizeof(struct ct_client *));
	if (more == NULL)
		return CT_RESOURCE_EXHAUSTED;
	s->clients = more;
	s->clients[s->clients_n++] = client;
	return CT_OK;
}

void ct_server_show_counters(struct ct_server *s, ct_server_counters_fn *fn, void *arg)
{
	CT_CHECK(s->listeners_n == 0);
	CT_CHECK(s->counters == NULL);
	s->counters = fn;
	s->counters_arg = arg;
}

ct_status ct_server_listen(struct ct_server *s, const char *url, const char **ret_why)
{
	const struct ct_listener_opts opts = {
		.url = url,
		.connections_max = s->opts.connections_max,
		.events = &ct_srv__conn_events,
		.arg = s,
	};
	ct_status st;

	if (s->listeners_n == CT_SERVER_LISTENERS_MAX) {
		*ret_why = "more listeners than a server may have";
		return CT_INVALID_ARGUMENT;
	}
	st = ct_listener_new(s->net, &opts, &s->listeners[s->listeners_n], ret_why);
	if (st != CT_OK)
		return st;
	CT_LOG(s->log, CT_LOG_INFO, "listening",
	       CT_STR("url", ct_listener_url(s->listeners[s->listeners_n])));
	s->listeners_n++;
	return CT_OK;
}

const char *ct_server_url(const struct ct_server *s, size_t i)
{
	return i < s->listeners_n ? ct_listener_url(s->listeners[i]) : NULL;
}

struct ct_server *ct_server_free(struct ct_server *s)
{
	if (s == NULL)
		return NULL;
	CT_TAG_CHECK(s, SERVER_TAG);
	ct_server_stop(s);
	atomic_store_explicit(&s->freeing, true, memory_order_relaxed);
	ct_srv__end_all(s);
	ct_server_join(s);
	ct_timers_cancel_wait(s->timers, &s->grace);
	for (size_t i = 0; i < s->listeners_n; i++)
		ct_listener_finish(s->listeners[i]); /* behind the last replies */
	/* conditions wait by the system's clock, whatever s->clk is */
	ct_srv__wait_closed(s, ct_instant_add_us(ct_now(ct_clock_system()), FLUSH_US));
	for (size_t i = 0; i < s->listeners_n; i++)
		s->listeners[i] = ct_listener_free(s->listeners[i]);
	ct_srv__wait_closed(s, CT_NEVER);
	ct_srv__end_all(s);
	release(s);
	return NULL;
}

static void copy_counts(struct ct_server *s, struct ct_call_counts *c)
{
	c->received = ct_srv__get(&s->received);
	c->in_flight = ct_srv__in_flight(s);
	c->ok = ct_srv__get(&s->ends[CT_END_OK]);
	c->app_error = ct_srv__get(&s->ends[CT_END_APP_ERROR]);
	c->refused = ct_srv__get(&s->ends[CT_END_REFUSED]);
	c->expired_queued = ct_srv__get(&s->ends[CT_END_EXPIRED_QUEUED]);
	c->expired_running = ct_srv__get(&s->ends[CT_END_EXPIRED_RUNNING]);
	c->cancelled_queued = ct_srv__get(&s->ends[CT_END_CANCELLED_QUEUED]);
	c->cancelled_running = ct_srv__get(&s->ends[CT_END_CANCELLED_RUNNING]);
	c->peer_gone = ct_srv__get(&s->ends[CT_END_PEER_GONE]);
}

static bool identity(const struct ct_call_counts *c)
{
	return c->received == c->ok + c->app_error + c->refused + c->expired_queued +
				      c->expired_running + c->cancelled_queued +
				      c->cancelled_running + c->peer_gone + c->in_flight;
}

/* The counters move while they are read. A call that is just being counted is over
 * at another look; what is wrong stays wrong. */
static bool take_counts(struct ct_server *s, struct ct_call_counts *ret)
{
	enum { LOOKS = 1000 };
	bool adds_up = false;

	for (unsigned i = 0; i < LOOKS && !adds_up; i++) {
		copy_counts(s, ret);
		adds_up = identity(ret);
	}
	return adds_up;
}

void ct_server_stats(struct ct_server *s, struct ct_server_stats *ret_stats)
{
	struct ct_server_stats st = { .queued = 0 };
	struct ct_pool_stats ps;

	st.identity_ok = take_counts(s, &st.calls);
	for (unsigned i = 0; i < CT_REFUSALS_N; i++)
		st.refused_by[i] = ct_srv__get(&s->refused_by[i]);
	for (unsigned i = 0; i < CT_POOL_LANES; i++) {
		st.infeasible_looked_at += ct_srv__get(&s->regrets[i].looked);
		st.infeasible_in_time += ct_srv__get(&s->regrets[i].in_time);
		st.infeasible_unused += ct_srv__get(&s->regrets[i].unused);
	}
	st.cancels = ct_srv__get(&s->cancels);
	st.cancels_unknown = ct_srv__get(&s->cancels_unknown);
	st.tombstones_hit = ct_srv__get(&s->tombstones_hit);
	st.bad_header = ct_srv__get(&s->bad_header);
	st.bad_payload = ct_srv__get(&s->bad_payload);
	st.bad_metadata = ct_srv__get(&s->bad_metadata);
	st.clamped = ct_srv__get(&s->clamped);
	st.replies_cut = ct_srv__get(&s->replies_cut);
	st.replies_lost = ct_srv__get(&s->replies_lost);
	for (unsigned i = 0; i < CT_CANCEL_REASONS_N; i++) {
		st.wasted_us_by[i] = ct_srv__get(&s->wasted_us[i]);
		st.wasted_us += st.wasted_us_by[i];
	}
	ct_pool_stats(s->pool, &ps);
	st.queued = ps.queued[CT_LANE_INTERACTIVE] + ps.queued[CT_LANE_BATCH];
	st.running = ps.running;
	ct_lock_acquire(&s->lock);
	st.connections = s->connections;
	st.state = server_rows[s->sm.state].name;
	ct_lock_release(&s->lock);
	*ret_stats = st;
}
