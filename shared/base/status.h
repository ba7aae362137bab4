/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_BASE_STATUS_H
#define CT_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The one status vocabulary: in the process, on the wire and in metric labels.
 * Names and numbers are gRPC's and frozen.
 *
 * The runtime itself produces only OK, CANCELLED, UNKNOWN, DEADLINE_EXCEEDED,
 * RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED and
 * INVALID_ARGUMENT (for an undecodable payload and for a caller's bad option);
 * the others are the application's alone.
 *
 * name, number, text for operators
 */
#define CT_STATUS_LIST(X)                                                  \
	X(OK, 0, "ok")                                                     \
	X(CANCELLED, 1, "the caller gave up")                              \
	X(UNKNOWN, 2, "the handler failed without saying how")             \
	X(INVALID_ARGUMENT, 3, "the request is malformed")                 \
	X(DEADLINE_EXCEEDED, 4, "the time budget is used up")              \
	X(NOT_FOUND, 5, "no such entity")                                  \
	X(ALREADY_EXISTS, 6, "it exists already and differs")              \
	X(PERMISSION_DENIED, 7, "this caller may not do that")             \
	X(RESOURCE_EXHAUSTED, 8, "queue or quota full, back off")          \
	X(FAILED_PRECONDITION, 9, "the system is not in a state to do it") \
	X(ABORTED, 10, "a concurrent change won, read again")              \
	X(OUT_OF_RANGE, 11, "past the valid range")                        \
	X(UNIMPLEMENTED, 12, "no such method")                             \
	X(INTERNAL, 13, "an invariant is broken")                          \
	X(UNAVAILABLE, 14, "the peer is unreachable or draining")          \
	X(DATA_LOSS, 15, "stored data is lost or corrupt")                 \
	X(UNAUTHENTICATED, 16, "the caller is not known")

typedef enum ct_status {
#define X(name, number, text) CT_##name = (number),
	CT_STATUS_LIST(X)
#undef X
} ct_status;

enum { CT_STATUS_N = 17 };

/* Static strings, never NULL; a number outside the table reads "UNKNOWN". */
const char *ct_status_name(ct_status st);
const char *ct_status_text(ct_status st);

/* A number from the wire. Anything outside the table becomes CT_UNKNOWN. */
ct_status ct_status_from_wire(uint32_t number);

/* errno of a failed system call on files or sockets. */
ct_status ct_status_from_errno(int err);

#endif
