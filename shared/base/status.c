/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <errno.h>

static const struct status_row {
	const char *name, *text;
} rows[CT_STATUS_N] = {
#define X(name, number, text) [number] = { #name, text },
	CT_STATUS_LIST(X)
#undef X
};

const char *ct_status_name(ct_status st)
{
	return rows[ct_status_from_wire((uint32_t)st)].name;
}

const char *ct_status_text(ct_status st)
{
	return rows[ct_status_from_wire((uint32_t)st)].text;
}

ct_status ct_status_from_wire(uint32_t number)
{
	return number < CT_STATUS_N ? (ct_status)number : CT_UNKNOWN;
}

ct_status ct_status_from_errno(int err)
{
	switch (err) {
	case 0:
		return CT_OK;
	case ENOENT:
		return CT_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return CT_PERMISSION_DENIED;
	case ENOMEM:
	case ENOSPC:
	case EMFILE:
	case ENFILE:
	case EDQUOT:
		return CT_RESOURCE_EXHAUSTED;
	case EINVAL:
	case ENAMETOOLONG:
	case EISDIR:
	case ENOTDIR:
		return CT_INVALID_ARGUMENT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
	case EAGAIN:
		return CT_UNAVAILABLE;
	case ETIMEDOUT:
		return CT_DEADLINE_EXCEEDED;
	default:
		return CT_INTERNAL;
	}
}
