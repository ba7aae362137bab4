/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/progress.h"

enum { BAR_WIDTH = 24, TERMINAL_US = 100 * 1000, PLAIN_US = 5 * 1000 * 1000 };

void sdtm_progress_init(struct sdtm_progress *p, FILE *out, bool terminal,
			const struct ct_clock *clk)
{
	*p = (struct sdtm_progress){
		.out = out,
		.clk = clk,
		.terminal = terminal,
		.began = ct_now(clk),
		.table = "",
	};
	p->next = ct_instant_add_us(p->began, terminal ? TERMINAL_US : PLAIN_US);
}

double sdtm_progress_seconds(const struct sdtm_progress *p)
{
	return (double)ct_instant_us_between(p->began, ct_now(p->clk)) / 1e6;
}

/* "1:05", or "?" before anything can be said. */
static void put_left(const struct sdtm_progress *p, double seconds)
{
	const double left = p->share > 0.005 ? seconds * (1.0 - p->share) / p->share : -1;
	const unsigned s = left > 0 && left < 360000 ? (unsigned)(left + 0.5) : 0;

	if (left < 0)
		fputs("? left", p->out);
	else
		fprintf(p->out, "%u:%02u left", s / 60, s % 60);
}

static void draw(struct sdtm_progress *p)
{
	const double seconds = sdtm_progress_seconds(p);
	const int filled = (int)(p->share * BAR_WIDTH + 0.5);

	if (p->terminal) {
		fputs("\r\033[K[", p->out);
		for (int i = 0; i < BAR_WIDTH; i++)
			fputc(i < filled ? '#' : '.', p->out);
		fputs("] ", p->out);
	}
	fprintf(p->out, "%3.0f%%  %s  %llu rows  %.0f rows/s  ", p->share * 100, p->table,
		(unsigned long long)p->rows, seconds > 0 ? (double)p->rows / seconds : 0.0);
	put_left(p, seconds);
	if (!p->terminal)
		fputc('\n', p->out);
	fflush(p->out);
	p->drawn = p->terminal;
}

void sdtm_progress_tick(struct sdtm_progress *p)
{
	const ct_instant now = ct_now(p->clk);

	if (now.ns < p->next.ns)
		return;
	p->next = ct_instant_add_us(now, p->terminal ? TERMINAL_US : PLAIN_US);
	draw(p);
}

void sdtm_progress_set(struct sdtm_progress *p, const char *table, uint64_t rows, double share)
{
	p->table = table;
	p->rows = rows;
	p->share = share < 0 ? 0 : share > 1 ? 1 : share;
	sdtm_progress_tick(p);
}

void sdtm_progress_clear(struct sdtm_progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->drawn = false;
}
