/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_GEN_H
#define CT_TOOLS_PROTOC_GEN_CT_GEN_H

#include "base/arena.h"
#include "base/attrs.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What every part of the plugin shares: memory for the whole run, text that
 * grows, and the list of what is wrong with the .proto files.
 *
 * The plugin is one short run of one thread. Out of memory ends it with a line
 * on stderr and exit status 1, so nothing here returns NULL.
 */
struct gen_text {
	char *data; /* NUL-terminated once something was added; NULL before */
	size_t len, size;
};

struct gen {
	struct ct_arena arena;  /* everything that lives to the end of the run */
	struct gen_text errors; /* one line each, no newline after the last */
	unsigned errors_n;      /* all, also those past the limit of lines kept */
};

void gen_init(struct gen *g);
void gen_fini(struct gen *g);

/* Zeroed, and freed by gen_fini(). */
void *gen_alloc(struct gen *g, size_t n, size_t size);
CT_PRINTF(2, 3) char *gen_strf(struct gen *g, const char *fmt, ...);

/* Adds a line to the errors. `where` is "file:line:column" or "file". */
CT_PRINTF(3, 4) void gen_error(struct gen *g, const char *where, const char *fmt, ...);

void gen_text_add(struct gen_text *t, const char *s, size_t len);
CT_PRINTF(2, 3) void gen_text_addf(struct gen_text *t, const char *fmt, ...);
void gen_text_fini(struct gen_text *t);

#endif
