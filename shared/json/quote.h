/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_JSON_QUOTE_H
#define CT_JSON_QUOTE_H

#include "base/attrs.h"
#include "base/bytes.h"
#include "base/status.h"

/* Text as a JSON string with its quotes; free *ret_text with ct_mem_free().
 * INVALID_ARGUMENT: not UTF-8. RESOURCE_EXHAUSTED: no memory. Any thread. */
CT_MUST_USE ct_status ct_json_quote(struct ct_bytes text, char **ret_text);

#endif
