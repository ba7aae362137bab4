/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_SERVICES_SERVICE_ARGS_H
#define CT_RPC_SERVICES_SERVICE_ARGS_H

#include "base/attrs.h"
#include "base/status.h"
#include "conf/conf.h"

#include <stddef.h>

/* The command line of a service, for service_main.c. One thread. */
enum ct_service_mode {
	CT_SERVICE_RUN,
	CT_SERVICE_CHECK_CONFIG,
	CT_SERVICE_PRINT_CONFIG,
	CT_SERVICE_PRINT_DOCS,
	CT_SERVICE_HELP,
	CT_SERVICE_VERSION,
};

enum { CT_SERVICE_OVERRIDES_MAX = 64, CT_SERVICE_PEERS_MAX = 32 };

struct ct_service_args {
	enum ct_service_mode mode;
	const char *path;                                /* NULL: no -c */
	const char *overrides[CT_SERVICE_OVERRIDES_MAX]; /* borrowed from argv */
	size_t overrides_n;
	const char *peers[CT_SERVICE_PEERS_MAX]; /* "name=path", borrowed from argv */
	size_t peers_n;
};

/* INVALID_ARGUMENT: *ret_why (static) says what is wrong and *ret_what with which
 * argument (from argv, or ""). */
CT_MUST_USE ct_status ct_service_args_parse(int argc, char **argv, struct ct_service_args *ret_args,
					    const char **ret_why, const char **ret_what);

#endif
