/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/services/service_args.h"

#include <string.h>

static const struct {
	const char *name;
	enum ct_service_mode mode;
} modes[] = {
	{ "--check-config", CT_SERVICE_CHECK_CONFIG },
	{ "--print-config", CT_SERVICE_PRINT_CONFIG },
	{ "--print-docs", CT_SERVICE_PRINT_DOCS },
	{ "--help", CT_SERVICE_HELP },
	{ "-h", CT_SERVICE_HELP },
	{ "--version", CT_SERVICE_VERSION },
};

static bool find_mode(const char *arg, enum ct_service_mode *ret_mode)
{
	for (size_t i = 0; i < CT_ARRAY_N(modes); i++) {
		if (strcmp(arg, modes[i].name) == 0) {
			*ret_mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

/* The value of an option that takes one; NULL and *ret_why: it cannot be had. */
static const char *take_value(const struct ct_service_args *args, const char *arg,
			      const char *value, const char **ret_why)
{
	if (value == NULL) {
		*ret_why = "needs a value";
		return NULL;
	}
	if (arg[1] == 'c' && args->path != NULL) {
		*ret_why = "may be given once";
		return NULL;
	}
	if ((arg[1] == 's' && args->overrides_n == CT_SERVICE_OVERRIDES_MAX) ||
	    (arg[1] == 'p' && args->peers_n == CT_SERVICE_PEERS_MAX)) {
		*ret_why = "is given too often";
		return NULL;
	}
	return value;
}

ct_status ct_service_args_parse(int argc, char **argv, struct ct_service_args *ret_args,
				const char **ret_why, const char **ret_what)
{
	struct ct_service_args args = { .mode = CT_SERVICE_RUN };

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *value;

		*ret_what = arg;
		if (find_mode(arg, &args.mode))
			continue;
		if (strcmp(arg, "-c") != 0 && strcmp(arg, "-s") != 0 && strcmp(arg, "-p") != 0) {
			*ret_why = "is no argument of this program";
			return CT_INVALID_ARGUMENT;
		}
		value = take_value(&args, arg, argv[++i], ret_why); /* argv ends with NULL */
		if (value == NULL)
			return CT_INVALID_ARGUMENT;
		if (arg[1] == 'c')
			args.path = value;
		else if (arg[1] == 's')
			args.overrides[args.overrides_n++] = value;
		else
			args.peers[args.peers_n++] = value;
	}
	*ret_args = args;
	return CT_OK;
}
