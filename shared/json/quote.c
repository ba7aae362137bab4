/* SPDX-License-Identifier: Apache-2.0 */
#include "json/quote.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>

ct_status ct_json_quote(struct ct_bytes text, char **ret_text)
{
	json_t *s = json_stringn((const char *)text.ptr, text.len);
	char *dumped, *copy;

	if (s == NULL)
		return CT_INVALID_ARGUMENT;
	dumped = json_dumps(s, JSON_ENCODE_ANY);
	json_decref(s);
	if (dumped == NULL)
		return CT_RESOURCE_EXHAUSTED;
	copy = ct_mem_strdup(dumped);
	free(dumped); /* jansson's */
	if (copy == NULL)
		return CT_RESOURCE_EXHAUSTED;
	*ret_text = copy;
	return CT_OK;
}
