/* SPDX-License-Identifier: Apache-2.0 */
#include "sdtm-import/import.h"

#include "base/mem.h"
#include "sdtm-import/calls.h"
#include "sdtm-import/keymap.h"
#include "sdtm-import/loader.h"
#include "sdtm-import/map.h"
#include "sdtm-import/progress.h"
#include "sdtm-import/rejects.h"
#include "sdtm-import/sender.h"
#include "sdtm-import/study.h"
#include "sdtm-import/tally.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SUBJECTS_MAX = 4 * 1000 * 1000,
	BATCH_BYTES = 1024 * 1024,
	PATIENCE_MS = 1000, /* for a service, before saying that it is waited for */
};

enum { SUBJECT_KNOWN = 1, SUBJECT_UNKNOWN = 2 }; /* numbers in the map of subjects */

struct import {
	const struct sdtm_args *args;
	struct sdtm_study study;
	struct sdtm_calls *calls;
	struct sdtm_sender *sender;
	struct sdtm_rejects *rejects;
	struct sdtm_progress progress;
	struct sdtm_keymap *subjects; /* study, subject -> known or not */
	struct sdtm_tally tallies[SDTM_TABLES_N];
	const struct sdtm_table *table;     /* that is loaded now */
	uint64_t rows_before, bytes_before; /* of the tables before it */
	char why[400];                      /* it could not run to the end; "" */
};

/* ---- subjects ------------------------------------------------------------- */

static uint64_t *subject_of(struct import *im, const char *study_id, const char *usubjid)
{
	struct sdtm_key key;
	bool fresh;

	sdtm_key_init(&key);
	sdtm_key_add(&key, study_id);
	sdtm_key_add(&key, usubjid);
	return sdtm_keymap_put(im->subjects, &key, &fresh);
}

/* With a dm table its stored subjects are known and no others; without one
 * patient-svc is asked, once for each. */
static ct_status is_known(void *arg, const char *study_id, const char *usubjid, bool *ret_known)
{
	struct import *im = arg;
	uint64_t *subject;
	ct_status st;

	subject = subject_of(im, study_id, usubjid);
	if (subject == NULL) {
		snprintf(im->why, sizeof(im->why), "too many subjects, or no memory");
		return CT_RESOURCE_EXHAUSTED;
	}
	if (*subject == 0 && im->study.files[SDTM_DM].present)
		*subject = SUBJECT_UNKNOWN;
	if (*subject == 0) {
		st = sdtm_calls_known(im->calls, study_id, usubjid, ret_known);
		if (st != CT_OK) {
			snprintf(im->why, sizeof(im->why), "patient-svc cannot be asked: %s: %s",
				 ct_status_name(st), ct_status_text(st));
			return st;
		}
		*subject = *ret_known ? SUBJECT_KNOWN : SUBJECT_UNKNOWN;
	}
	*ret_known = *subject == SUBJECT_KNOWN;
	return CT_OK;
}

static void remember_patient(struct import *im, const struct sdtm_item *item)
{
	const Clinic__V1__Patient *p = (const void *)item->msg;
	uint64_t *subject = subject_of(im, p->study_id, p->usubjid);

	if (subject != NULL)
		*subject = SUBJECT_KNOWN;
	else
		snprintf(im->why, sizeof(im->why), "too many subjects, or no memory");
}

/* ---- rows and items ------------------------------------------------------- */

static void show_reject(struct import *im, const struct sdtm_table *table,
			const struct sdtm_reject *why)
{
	sdtm_progress_clear(&im->progress);
	(void)sdtm_rejects_add(im->rejects, im->study.files[table->id].name, why);
}

static ct_status take_reject(void *arg, const struct sdtm_reject *why)
{
	struct import *im = arg;

	sdtm_tally_add(&im->tallies[im->table->id], SDTM_REJECTED, 1);
	show_reject(im, im->table, why);
	return CT_OK;
}

static ct_status take_item(void *arg, struct sdtm_item *item)
{
	struct import *im = arg;

	im->tallies[item->table->id].items++;
	return sdtm_sender_put(im->sender, item);
}

/* Each of the item's rows is refused for the item's reason. */
static void reject_rows(struct import *im, const struct sdtm_item *item,
			const struct sdtm_outcome *o)
{
	const char *column = o->field[0] != '\0' ? o->field : NULL;
	const char *message = o->message[0] != '\0' ? o->message : ct_status_text(o->code);
	struct sdtm_reject why;

	for (uint32_t i = 0; i < item->rows_n; i++) {
		sdtm_reject_set(&why, item->lines[i], column, 0, "%s%s", message,
				item->rows_n > 1 ? " (in the report this row belongs to)" : "");
		show_reject(im, item->table, &why);
	}
}

static void settled(void *arg, const struct sdtm_item *item, const struct sdtm_outcome *o)
{
	struct import *im = arg;

	sdtm_tally_add(&im->tallies[item->table->id], o->fate, item->rows_n);
	if (o->fate == SDTM_REJECTED)
		reject_rows(im, item, o);
	else if (item->table->id == SDTM_DM && o->fate != SDTM_LEFT)
		remember_patient(im, item);
}

/* ---- time ----------------------------------------------------------------- */

static bool tick(void *arg)
{
	struct import *im = arg;

	sdtm_progress_tick(&im->progress);
	return !sdtm_calls_interrupted(im->calls);
}

static ct_status take_progress(void *arg, uint64_t rows, double share)
{
	struct import *im = arg;
	const double bytes = (double)im->bytes_before +
			     share * (double)im->study.files[im->table->id].bytes;

	sdtm_progress_set(&im->progress, im->table->name, im->rows_before + rows,
			  im->study.bytes > 0 ? bytes / (double)im->study.bytes : 1.0);
	return sdtm_calls_interrupted(im->calls) ? CT_CANCELLED : CT_OK;
}

/* ---- calls ---------------------------------------------------------------- */

static void start_batch(void *arg, struct sdtm_batch *b)
{
	struct import *im = arg;

	sdtm_calls_put(im->calls, b);
}

/* On a thread of the runtime. */
static void batch_done(void *arg, struct sdtm_batch *b)
{
	struct import *im = arg;

	sdtm_sender_done(im->sender, b);
}

/* ---- tables --------------------------------------------------------------- */

static bool wait_for_service(struct import *im)
{
	const char *peer = sdtm_calls_peer(im->table);
	const char *url = sdtm_calls_url(im->calls, im->table);

	if (sdtm_calls_wait(im->calls, im->table, PATIENCE_MS) == CT_OK)
		return true;
	if (!sdtm_calls_interrupted(im->calls)) {
		sdtm_progress_clear(&im->progress);
		fprintf(stderr, "waiting for %s at %s\n", peer, url);
		if (sdtm_calls_wait(im->calls, im->table, im->args->retry_ms) == CT_OK)
			return true;
	}
	snprintf(im->why, sizeof(im->why), "%s at %.200s %s", peer, url,
		 sdtm_calls_interrupted(im->calls) ? "was waited for when interrupted"
						   : "cannot be reached");
	return false;
}

static void close_table(struct import *im, const struct sdtm_load_result *r)
{
	struct sdtm_tally *t = &im->tallies[im->table->id];
	const uint64_t hidden = sdtm_rejects_next_table(im->rejects);

	t->read = r->rows;
	sdtm_tally_close(t);
	sdtm_progress_clear(&im->progress);
	if (hidden > 0)
		fprintf(stderr, "%s: %llu more rejected rows%s\n",
			im->study.files[im->table->id].name, (unsigned long long)hidden,
			im->args->rejects == NULL ? "; --rejects FILE lists them all" : "");
	if (t->broke[0] != '\0')
		fprintf(stderr, "%s\n", t->broke);
	im->rows_before += r->rows;
	im->bytes_before += im->study.files[im->table->id].bytes;
}

static void note_break(struct sdtm_tally *t, const struct sdtm_file *file,
		       const struct sdtm_load_result *r)
{
	if (r->line > 0)
		snprintf(t->broke, sizeof(t->broke),
			 "%.100s:%llu: %s; the rows from here on were not read", file->name,
			 (unsigned long long)r->line, r->why);
	else
		snprintf(t->broke, sizeof(t->broke), "%.100s: %s; it was not read", file->name,
			 r->why);
}

/* False: the import cannot go on. */
static bool load_table(struct import *im)
{
	const struct sdtm_file *file = &im->study.files[im->table->id];
	const struct sdtm_sink sink = {
		.arg = im,
		.item = take_item,
		.reject = take_reject,
		.known = im->table->id == SDTM_DM ? NULL : is_known,
		.progress = take_progress,
	};
	const struct sdtm_load_opts opts = { .table = im->table,
					     .path = file->path,
					     .sink = &sink };
	struct sdtm_tally *t = &im->tallies[im->table->id];
	struct sdtm_load_result r;
	ct_status st;
	ct_status sent;

	st = sdtm_load(&opts, &r);
	if (r.why[0] != '\0' && (st == CT_FAILED_PRECONDITION || st == CT_OUT_OF_RANGE)) {
		/* The file's fault and not the sink's: what was read is good. */
		note_break(t, file, &r);
		st = CT_OK;
	}
	if (st != CT_OK) {
		sdtm_calls_cancel(im->calls);
		sdtm_sender_stop(im->sender);
	}
	sent = st == CT_OK ? sdtm_sender_drain(im->sender) : st;
	if (sent != CT_OK && im->why[0] == '\0')
		snprintf(im->why, sizeof(im->why), "%s: %s", file->name,
			 sdtm_sender_why(im->sender)[0] != '\0' ? sdtm_sender_why(im->sender)
								: ct_status_text(sent));
	close_table(im, &r);
	return sent == CT_OK && im->why[0] == '\0';
}

static void load_all(struct import *im)
{
	for (int i = 0; i < SDTM_TABLES_N; i++) {
		if (!im->study.files[i].present)
			continue;
		im->table = sdtm_table((enum sdtm_table_id)i);
		im->tallies[i].present = true;
		if (!wait_for_service(im) || !load_table(im))
			return;
	}
}

/* ---- the whole ------------------------------------------------------------ */

/* Before anything else, so that no list of an earlier run stays behind. */
static bool open_rejects(struct import *im)
{
	const char *why = "";

	if (sdtm_rejects_open(im->args->rejects, &im->rejects, &why) == CT_OK)
		return true;
	fprintf(stderr, "sdtm-import: %s: %s\n",
		im->args->rejects != NULL ? im->args->rejects : "rejects", why);
	return false;
}

static bool set_up(struct import *im)
{
	const struct sdtm_sender_opts so = {
		.concurrency = im->args->concurrency,
		.batch_items = im->args->batch,
		.batch_bytes = BATCH_BYTES,
		.retry_ms = im->args->retry_ms,
		.arg = im,
		.start = start_batch,
		.settled = settled,
		.tick = tick,
	};
	const char *why = "out of memory";

	im->subjects = sdtm_keymap_new(SUBJECTS_MAX);
	if (im->subjects == NULL || sdtm_sender_new(&so, &im->sender) != CT_OK) {
		fprintf(stderr, "sdtm-import: %s\n", why);
		return false;
	}
	if (sdtm_calls_open(im->args, batch_done, im, &im->calls, &why) != CT_OK) {
		fprintf(stderr, "sdtm-import: cannot start: %s\n", why);
		return false;
	}
	sdtm_progress_init(&im->progress, stderr, isatty(STDERR_FILENO) == 1, ct_clock_system());
	return true;
}

static int conclude(struct import *im)
{
	const char *why = "";
	int status = sdtm_tally_all_stored(im->tallies) ? SDTM_EXIT_STORED : SDTM_EXIT_REJECTED;

	sdtm_tally_print(im->tallies, sdtm_progress_seconds(&im->progress), stdout);
	if (im->why[0] != '\0') {
		fprintf(stderr,
			"sdtm-import: stopped: %s\nRun it again to go on: what is stored stays.\n",
			im->why);
		status = SDTM_EXIT_FAILED;
	}
	if (sdtm_rejects_close(im->rejects, &why) != CT_OK) {
		fprintf(stderr, "sdtm-import: %s: %s\n", im->args->rejects, why);
		status = SDTM_EXIT_FAILED;
	}
	im->rejects = NULL;
	return status;
}

int sdtm_import_run(const struct sdtm_args *args)
{
	struct import *im = ct_mem_zalloc(1, sizeof(*im));
	int status = SDTM_EXIT_FAILED;
	const char *why = "";

	if (im == NULL) {
		fputs("sdtm-import: out of memory\n", stderr);
		return SDTM_EXIT_FAILED;
	}
	im->args = args;
	if (open_rejects(im) && sdtm_study_find(args->dir, &im->study) && set_up(im)) {
		load_all(im);
		status = conclude(im);
	}
	im->calls = sdtm_calls_close(im->calls);
	im->sender = sdtm_sender_free(im->sender);
	if (sdtm_rejects_close(im->rejects, &why) != CT_OK)
		fprintf(stderr, "sdtm-import: %s: %s\n", args->rejects, why);
	im->subjects = sdtm_keymap_free(im->subjects);
	ct_mem_free(im);
	return status;
}
