/* SPDX-License-Identifier: Apache-2.0 */
#include "load/report.h"

#include "base/attrs.h"
#include "base/status.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_S 1e9

enum { BARS_MAX = 18, BAR_COLUMNS_MIN = 10, TIME_TEXT = 16 };

static const struct percentile {
	double q;
	const char *key, *label;
} percentiles[] = {
	{ 0.5, "p50", "50 %" },
	{ 0.9, "p90", "90 %" },
	{ 0.99, "p99", "99 %" },
	{ 0.999, "p999", "99.9 %" },
};

static double per_s(uint64_t n, int64_t elapsed_ns)
{
	return elapsed_ns > 0 ? (double)n * NS_PER_S / (double)elapsed_ns : 0;
}

double load_calls_per_s(const struct load_result *r)
{
	return per_s(r->calls, r->elapsed_ns);
}

/* ---- JSON --------------------------------------------------------------------------- */

void load_report_json_string(const char *text, FILE *out)
{
	(void)fputc('"', out);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			(void)fputc('\\', out);
		(void)fputc(*c >= ' ' && *c <= '~' ? *c : '?', out);
	}
	(void)fputc('"', out);
}

void load_report_json_times(const struct load_hist *h, FILE *out)
{
	(void)fprintf(out, "{\"count\": %" PRIu64 ", \"mean\": %" PRIu64, h->count,
		      load_hist_mean_ns(h));
	for (size_t i = 0; i < CT_ARRAY_N(percentiles); i++)
		(void)fprintf(out, ", \"%s\": %" PRIu64, percentiles[i].key,
			      load_hist_percentile_ns(h, percentiles[i].q));
	(void)fprintf(out, ", \"max\": %" PRIu64 "}", h->max_ns);
}

static void json_times(const char *name, const struct load_hist *h, FILE *out)
{
	(void)fprintf(out, ", \"%s\": ", name);
	load_report_json_times(h, out);
}

static void json_statuses(const struct load_result *r, FILE *out)
{
	const char *comma = "";

	(void)fputs(", \"by_status\": {", out);
	for (int st = 0; st < LOAD_STATUS_N; st++) {
		if (r->by_status[st] == 0)
			continue;
		(void)fprintf(out, "%s\"%s\": %" PRIu64, comma, ct_status_name((ct_status)st),
			      r->by_status[st]);
		comma = ", ";
	}
	(void)fputs("}", out);
}

void load_report_json(const struct load_result *r, FILE *out)
{
	(void)fprintf(out, "\"calls\": %" PRIu64 ", \"ok\": %" PRIu64, r->calls, r->ok);
	json_statuses(r, out);
	(void)fprintf(out,
		      ", \"delayed\": %" PRIu64 ", \"missed\": %" PRIu64 ", \"lost\": %" PRIu64
		      ", \"stopped\": %s, \"elapsed_ns\": %" PRId64 ", \"cpu_ns\": %" PRId64
		      ", \"calls_per_s\": %.1f, \"ok_per_s\": %.1f",
		      r->delayed, r->missed, r->lost, r->stopped ? "true" : "false", r->elapsed_ns,
		      r->cpu_ns, load_calls_per_s(r), per_s(r->ok, r->elapsed_ns));
	json_times("latency_ns", &r->ok_ns, out);
	json_times("failed_ns", &r->failed_ns, out);
	json_times("late_ns", &r->late_ns, out);
}

/* ---- text --------------------------------------------------------------------------- */

/* Three digits that count, with the unit they need. */
static const char *time_text(uint64_t ns, char out[TIME_TEXT])
{
	static const struct {
		double ns;
		const char *name;
	} units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 1, "ns" } };
	const double t = (double)ns;
	size_t i = 0;

	while (i + 1 < CT_ARRAY_N(units) && t < units[i].ns)
		i++;
	(void)snprintf(out, TIME_TEXT, "%.*f %s",
		       t < 10 * units[i].ns    ? 2
		       : t < 100 * units[i].ns ? 1
					       : 0,
		       t / units[i].ns, units[i].name);
	return out;
}

static void text_times(const char *title, const struct load_hist *h, FILE *out)
{
	char text[TIME_TEXT];

	if (h->count == 0)
		return;
	(void)fprintf(out, "\n%s\n", title);
	for (size_t i = 0; i < CT_ARRAY_N(percentiles); i++)
		(void)fprintf(out, "  %-8s%10s\n", percentiles[i].label,
			      time_text(load_hist_percentile_ns(h, percentiles[i].q), text));
	(void)fprintf(out, "  %-8s%10s\n", "slowest", time_text(h->max_ns, text));
	(void)fprintf(out, "  %-8s%10s\n", "mean", time_text(load_hist_mean_ns(h), text));
}

static void bar(uint64_t n, uint64_t most, unsigned columns, FILE *out)
{
	const unsigned len = (unsigned)((double)n / (double)most * columns + 0.5);

	for (unsigned i = 0; i < len; i++)
		(void)fputc('#', out);
	if (n > 0 && len == 0)
		(void)fputc('.', out);
	(void)fputc('\n', out);
}

/* Rows of one width on a logarithmic scale, from the fastest call to the slowest. */
static void text_bars(const struct load_hist *h, FILE *out, unsigned columns)
{
	static const char lead[] = "     9.99 ms .. 9.99 ms  100.0 %  ";
	const unsigned room = columns > sizeof(lead) + BAR_COLUMNS_MIN
				      ? columns - (unsigned)sizeof(lead)
				      : BAR_COLUMNS_MIN;
	const unsigned last = load_hist_bucket(h->max_ns);
	uint64_t rows[BARS_MAX] = { 0 }, most = 1;
	unsigned first = 0, width;

	while (h->bucket[first] == 0)
		first++;
	width = (last - first) / BARS_MAX + 1;
	for (unsigned i = first; i <= last; i++)
		rows[(i - first) / width] += h->bucket[i];
	for (unsigned i = 0; i < BARS_MAX; i++)
		most = rows[i] > most ? rows[i] : most;
	(void)fputc('\n', out);
	for (unsigned i = first; i <= last; i += width) {
		const unsigned to = i + width - 1 < last ? i + width - 1 : last;
		const uint64_t n = rows[(i - first) / width];
		uint64_t lo, hi, unused;
		char from_text[TIME_TEXT], to_text[TIME_TEXT];

		load_hist_bounds_ns(i, &lo, &unused);
		load_hist_bounds_ns(to, &unused, &hi);
		(void)fprintf(out, "  %8s .. %8s  %5.1f %%  ", time_text(lo, from_text),
			      time_text(hi < h->max_ns ? hi : h->max_ns, to_text),
			      100.0 * (double)n / (double)h->count);
		bar(n, most, room, out);
	}
}

void load_report_text(const struct load_result *r, FILE *out, unsigned columns)
{
	(void)fprintf(out, "%" PRIu64 " calls in %.1f s, %.0f a second\n", r->calls,
		      (double)r->elapsed_ns / NS_PER_S, load_calls_per_s(r));
	for (int st = 0; st < LOAD_STATUS_N; st++)
		if (r->by_status[st] > 0)
			(void)fprintf(out, "  %-20s %12" PRIu64 "  %5.1f %%\n",
				      ct_status_name((ct_status)st), r->by_status[st],
				      100.0 * (double)r->by_status[st] / (double)r->calls);
	if (r->missed > 0)
		(void)fprintf(out,
			      "  %" PRIu64 " were due and never started: too many were under way\n",
			      r->missed);
	if (r->delayed > 0)
		(void)fprintf(out, "  %" PRIu64 " waited for others to end before they started\n",
			      r->delayed);
	if (r->lost > 0)
		(void)fprintf(out, "  %" PRIu64 " never ended\n", r->lost);
	text_times("time of the calls that were OK", &r->ok_ns, out);
	if (r->ok_ns.count > 0)
		text_bars(&r->ok_ns, out, columns);
	text_times("time of those that failed", &r->failed_ns, out);
	text_times("of it, from when a call was due until it was sent", &r->late_ns, out);
}

void load_report_line(const struct load_result *so_far, FILE *out)
{
	char p50[TIME_TEXT], p99[TIME_TEXT];

	(void)fprintf(out, "%5.1f s  %" PRIu64 " calls  %.0f/s  50 %% %s  99 %% %s",
		      (double)so_far->elapsed_ns / NS_PER_S, so_far->calls,
		      load_calls_per_s(so_far),
		      time_text(load_hist_percentile_ns(&so_far->ok_ns, 0.5), p50),
		      time_text(load_hist_percentile_ns(&so_far->ok_ns, 0.99), p99));
	if (so_far->calls > so_far->ok)
		(void)fprintf(out, "  %" PRIu64 " failed", so_far->calls - so_far->ok);
}
