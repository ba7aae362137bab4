/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_NET_NNG_STATUS_H
#define CT_NET_NNG_STATUS_H

#include "base/status.h"

/* The one place where nng's error numbers turn into ours. rv is what an nng
 * function returned. */
ct_status ct_status_from_nng(int rv);

#endif
