/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nng_status.h"

#include <nng/nng.h>

ct_status ct_status_from_nng(int rv)
{
	switch (rv) {
	case 0:
		return CT_OK;
	case NNG_ETIMEDOUT:
		return CT_DEADLINE_EXCEEDED;
	case NNG_ECANCELED:
		return CT_CANCELLED;
	case NNG_ENOMEM:
	case NNG_ENOFILES:
	case NNG_ENOSPC:
		return CT_RESOURCE_EXHAUSTED;
	case NNG_EPROTO:
	case NNG_EMSGSIZE:
		return CT_INVALID_ARGUMENT;
	case NNG_ECLOSED:
	case NNG_ECONNREFUSED:
	case NNG_ECONNRESET:
	case NNG_ECONNABORTED:
	case NNG_ECONNSHUT:
	case NNG_EUNREACHABLE:
	case NNG_EADDRINUSE:
	case NNG_EADDRINVAL:
	case NNG_ENOENT:
	case NNG_EPERM:
	case NNG_ECRYPTO:
	case NNG_EPEERAUTH:
		return CT_UNAVAILABLE;
	default:
		/* An errno that nng has no number of its own for is the world's fault. */
		return (rv & NNG_ESYSERR) != 0 ? CT_UNAVAILABLE : CT_INTERNAL;
	}
}
