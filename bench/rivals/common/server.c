/* SPDX-License-Identifier: Apache-2.0 */
#include "rivals/common/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sigset_t ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

bool rival_begin(int argc, char **argv, struct rival_args *ret_args)
{
	const sigset_t set = ends();
	struct rival_args args = { .url = NULL, .workers = 2 };
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--listen") == 0)
			args.url = argv[i + 1];
		else if (strcmp(argv[i], "--workers") == 0)
			args.workers = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--spin-us") == 0)
			args.spin_us = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--wait-us") == 0)
			args.wait_us = (unsigned)strtoul(argv[i + 1], NULL, 10);
		else
			break;
	}
	if (i != argc || args.url == NULL ||
	    (args.workers == 0 && args.spin_us + args.wait_us > 0)) {
		fprintf(stderr,
			"usage: %s --listen URL [--workers N] [--spin-us N | --wait-us N]\n",
			argv[0]);
		return false;
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_args = args;
	return true;
}

void rival_wait(void)
{
	const sigset_t set = ends();
	int which;

	puts("ready");
	fflush(stdout);
	sigwait(&set, &which);
}
