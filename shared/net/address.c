/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

typedef const char *(parse_fn)(const char *rest, struct ct_address *a); /* NULL, or what is wrong */

struct scheme {
	const char *prefix;
	parse_fn *parse; /* NULL: known, not in this build */
	bool ipc;
};

static const char *parse_port(const char *digits, struct ct_address *a)
{
	uint32_t port = 0;

	if (digits[0] == '\0' || strlen(digits) > 5 ||
	    strspn(digits, "0123456789") != strlen(digits))
		return "the port is not a number";
	for (; *digits != '\0'; digits++)
		port = port * 10 + (uint32_t)(*digits - '0');
	if (port > UINT16_MAX)
		return "the port is over 65535";
	a->port = (uint16_t)port;
	return NULL;
}

static const char *parse_tcp(const char *rest, struct ct_address *a)
{
	const char *const bracket = rest[0] == '[' ? strchr(rest, ']') : NULL;
	const char *host = rest, *colon;
	size_t len;

	if (rest[0] == '[' && bracket == NULL)
		return "a [ without its ]";
	if (bracket != NULL) {
		host = rest + 1;
		len = (size_t)(bracket - host);
		colon = bracket + 1;
	} else {
		len = strcspn(rest, ":");
		colon = rest + len;
	}
	if (*colon != ':')
		return "no port: tcp://host:port";
	if (bracket == NULL && strchr(colon + 1, ':') != NULL)
		return "a v6 address needs [ ]";
	if (len >= sizeof(a->host))
		return "the host is too long";
	if (strcspn(rest, "/?#@ ") != strlen(rest))
		return "only host and port belong in a tcp address";
	memcpy(a->host, host, len);
	a->host[len] = '\0';
	if (strcmp(a->host, "*") == 0)
		a->host[0] = '\0';
	return parse_port(colon + 1, a);
}

static const char *parse_ipc(const char *rest, struct ct_address *a)
{
	if (rest[0] != '/')
		return "the path must be absolute: ipc:///path";
	if (strlen(rest) >= sizeof(a->path))
		return "the path is over 107 bytes";
	memcpy(a->path, rest, strlen(rest) + 1);
	return NULL;
}

static const struct scheme schemes[] = {
	{ "tcp://", parse_tcp, false },
	{ "ipc://", parse_ipc, true },
	{ "tls+tcp://", NULL, false },
};

ct_status ct_address_parse(const char *url, struct ct_address *ret_a, const char **ret_why)
{
	struct ct_address a = { 0 };
	const char *why = "unknown scheme: tcp:// or ipc://";

	for (size_t i = 0; i < CT_ARRAY_N(schemes); i++) {
		const struct scheme *s = &schemes[i];

		if (strncmp(url, s->prefix, strlen(s->prefix)) != 0)
			continue;
		a.ipc = s->ipc;
		why = s->parse != NULL ? s->parse(url + strlen(s->prefix), &a)
				       : "tls+tcp is not built in";
		break;
	}
	if (why != NULL) {
		*ret_why = why;
		return CT_INVALID_ARGUMENT;
	}
	*ret_a = a;
	return CT_OK;
}

ct_status ct_address_check_dial(const struct ct_address *a, const char **ret_why)
{
	if (a->ipc)
		return CT_OK;
	if (a->host[0] == '\0') {
		*ret_why = "no host to connect to";
		return CT_INVALID_ARGUMENT;
	}
	if (a->port == 0) {
		*ret_why = "no port to connect to";
		return CT_INVALID_ARGUMENT;
	}
	return CT_OK;
}

void ct_address_url(const struct ct_address *a, char out[CT_ADDRESS_URL_SIZE])
{
	const bool v6 = strchr(a->host, ':') != NULL;
	int n;

	if (a->ipc)
		n = snprintf(out, CT_ADDRESS_URL_SIZE, "ipc://%s", a->path);
	else
		n = snprintf(out, CT_ADDRESS_URL_SIZE, "tcp://%s%s%s:%u", v6 ? "[" : "",
			     a->host[0] != '\0' ? a->host : "*", v6 ? "]" : "", a->port);
	CT_CHECK(n > 0 && n < CT_ADDRESS_URL_SIZE);
}
