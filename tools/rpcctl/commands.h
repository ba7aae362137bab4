/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_COMMANDS_H
#define RPCCTL_COMMANDS_H

#include "rpcctl/args.h"
#include "rpcctl/session.h"

#include "ct/v1/runtime.pb-c.h"

#include <stdio.h>

enum { RPCCTL_EXIT_FAILED = 1, RPCCTL_EXIT_USAGE = 2 };

/* Each is one command and returns the exit status. */
int rpcctl_describe(const struct rpcctl_args *args);
int rpcctl_explain(const struct rpcctl_args *args);
int rpcctl_call(const struct rpcctl_args *args);
int rpcctl_bench(const struct rpcctl_args *args);
int rpcctl_list(struct session *s);
int rpcctl_health(struct session *s);
int rpcctl_watch(struct session *s);
int rpcctl_stats(struct session *s);

/* explain.c: three lines; nothing in them can drive a terminal. */
void rpcctl_show_record(FILE *out, const char *service, const Ct__V1__CallRecord *r);

/* show.c: the reply of the last call as JSON on stdout, or its error as JSON on
 * stderr; with --timing the ledger too. Returns the exit status. */
int rpcctl_show(struct session *s, bool emit_defaults);
int rpcctl_show_error(const struct session *s);
/* metadata.c: of the last reply, one "key: value" a line on stderr. */
void rpcctl_show_metadata(const struct session *s);
void rpcctl_show_timing(const struct session *s, const struct ct_method *m);

#endif
