/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/commands.h"

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

int main(int argc, char **argv)
{
	struct rpcctl_args args;

	switch (rpcctl_args_parse(argc, argv, &args)) {
	case RPCCTL_SHOWN:
		return 0;
	case RPCCTL_WRONG:
		return RPCCTL_EXIT_USAGE;
	case RPCCTL_RUN:
		break;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, args.command) == 0)
			return run(&commands[i], &args);
	return RPCCTL_EXIT_USAGE; /* args.c knows no other names */
}
