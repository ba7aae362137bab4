/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_LOAD_MAIN_H
#define LOAD_LOAD_MAIN_H

#include "load/load.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The main() of a program that drives one kind of server:
 *
 *   --url URL             where the server listens
 *   --outstanding N       closed loop, or
 *   --rate R              open loop, calls a second; --slots N: most under way (4096)
 *   --duration-ms N       3000; --warmup-ms N: 500
 *   --payload BYTES       128
 *   --connections N       1
 *   --timeout-ms N        of a call; 5000
 *   --server-pid PID      measure that process over the window too: CPU time, memory, threads
 *   --mark                and tell it by SIGUSR1 when the window opens
 *   --json                one JSON object on stdout instead of text for people
 *
 * Exit status 0: measured, and at least one call was OK; 1: not; 2: a wrong command line.
 */
struct load_target_opts {
	const char *url;
	uint32_t payload_bytes;
	uint32_t connections;
	uint32_t timeout_ms; /* of each call */
	uint32_t slots;      /* most calls under way */
};

struct load_driver {
	const char *name; /* "ours", "grpc": in the JSON */
	/* Connects, and returns when calls can be made; NULL: *ret_why says why not (static).
	 * opts and what it points to outlive the target. */
	void *(*open)(const struct load_target_opts *opts, const char **ret_why);
	/* Optional: sets call->user of each slot, before the first start. False: no memory.
	 * target is what open() returned, here as below. */
	bool (*prepare)(void *target, struct load_call *call);
	load_start_fn *start;
	/* Optional: see load_plan.together. */
	void (*together)(void *target, bool begin);
	/* After the last call has ended. */
	void (*close)(void *target);
	/* Optional: the window opens or closes. */
	void (*window)(void *target, bool open);
	/* Optional, after the run, before close: further members of the JSON object, each
	 * written as `, "name": value`. */
	void (*json)(void *target, const struct load_result *result, FILE *out);
};

int load_main(int argc, char **argv, const struct load_driver *driver);

#ifdef __cplusplus
}
#endif

#endif
