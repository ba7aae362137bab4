/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/commands.h"

#include <errno.h>
#include <string.h>

static const struct command {
	const char *name;
	/* Opens what it needs itself, so before that signals do what they always do. */
	int (*alone)(const struct rpcctl_args *args);
	int (*online)(struct session *s);
} commands[] = {
	{ "describe", rpcctl_describe, NULL }, { "explain", rpcctl_explain, NULL },
	{ "call", rpcctl_call, NULL },         { "bench", rpcctl_bench, NULL },
	{ "list", NULL, rpcctl_list },         { "health", NULL, rpcctl_health },
	{ "watch", NULL, rpcctl_watch },       { "stats", NULL, rpcctl_stats },
};

static int run(const struct command *c, const struct rpcctl_args *args)
{
	struct session s;
	int status;

	if (c->alone != NULL)
		return c->alone(args);
	if (session_open(&s, args, args->urls, args->urls_n) != CT_OK)
		return RPCCTL_EXIT_USAGE;
	status = c->online(&s);
	session_close(&s);
	return status;
}

static int run_named(const struct rpcctl_args *args)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, args->command) == 0)
			return run(&commands[i], args);
	return RPCCTL_EXIT_USAGE; /* args.c knows no other names */
}

/* The exit status, which is of no good when the answer got lost. */
static int told(int status)
{
	const bool lost = ferror(stdout) != 0;

	errno = 0;
	if (fflush(stdout) == 0 && !lost)
		return status;
	fprintf(stderr, "rpcctl: stdout: %s\n",
		errno != 0 ? strerror(errno) : "not all of it was written");
	return status != 0 ? status : RPCCTL_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct rpcctl_args args;
	int status = RPCCTL_EXIT_USAGE;

	switch (rpcctl_args_parse(argc, argv, &args)) {
	case RPCCTL_SHOWN:
		status = 0;
		break;
	case RPCCTL_WRONG:
		break;
	case RPCCTL_RUN:
		status = run_named(&args);
		break;
	}
	return told(status);
}
