/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_internal.h"

#include "base/text.h"

bool ct_utf8__clean(struct ct_bytes b)
{
	return b.len == 0 || (memchr(b.ptr, '\0', b.len) == NULL && ct_text_is_utf8(b));
}
