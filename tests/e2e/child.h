/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TESTS_E2E_CHILD_H
#define CT_TESTS_E2E_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * This program again, as a process of its own that plays a part named by its first
 * argument. It prints one line when it is ready, and dies with its parent.
 */
struct child {
	pid_t pid;
	int out; /* the rest of what it prints */
	char line[128];
};

/* args: at most three, NULL-terminated. Blocks until the line is there. */
void child_start(struct child *c, const char *const *args);
void child_kill(struct child *c); /* SIGKILL, and waits */
/* SIGTERM, and waits. False: it did not exit with 0. */
bool child_stop(struct child *c);

/* First thing in a part's main. */
void child_begin(void);
/* The line that child_start() waits for. */
void child_ready(const char *line);
/* Until somebody asks this process to end by SIGTERM. */
void child_wait_term(void);

/* The part "--hall URL": a hall, its gate shut, until SIGTERM; prints its URL. */
int hall_part(const char *url);

#endif
