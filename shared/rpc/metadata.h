/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_METADATA_H
#define CT_RPC_METADATA_H

#include "base/bytes.h"

#include <stdbool.h>

/*
 * What a call, or its reply, carries besides its message: short values by key.
 *
 * A key is made of a-z, 0-9, '-', '_' and '.', at least one of them. A value is
 * printable ASCII (0x20 to 0x7e), or any bytes when its key ends in "-bin". Keys
 * that begin with "ct-" are the runtime's own. When a key comes several times,
 * the last one counts. All of a call's must fit in its 8 KiB of meta.
 */
struct ct_metadata {
	const char *key;
	struct ct_bytes value;
};

bool ct_metadata_is_binary(const char *key); /* its values are bytes: it ends in "-bin" */

/* NULL: an application may send it. Else the rule that it breaks (static). Any thread. */
const char *ct_metadata_why_not(const char *key, struct ct_bytes value);

#endif
