/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata on the command line and of a reply: text as it stands, binary in base64. */
#include "rpcctl/commands.h"

#include "base/mem.h"
#include "json/b64.h"

#include <string.h>

const char *rpcctl_metadata_parse(char *text, struct ct_metadata *ret)
{
	char *value = strchr(text, ':');
	size_t len;

	if (value == NULL)
		return "-H is KEY:VALUE";
	*value++ = '\0';
	value += strspn(value, " ");
	len = strlen(value);
	if (ct_metadata_is_binary(text) &&
	    !ct_b64_decode(ct_bytes_of(value, len), (uint8_t *)value, &len))
		return "the value of a -bin key is base64";
	*ret = (struct ct_metadata){ text, ct_bytes_of(value, len) };
	return ct_metadata_why_not(ret->key, ret->value);
}

static void show_binary(const char *key, struct ct_bytes value)
{
	const size_t len = ct_b64_len(value.len);
	char *text = ct_mem_alloc(len + 1);

	if (text == NULL)
		return; /* nobody waits for it */
	ct_b64_encode(value, text);
	text[len] = '\0';
	fprintf(stderr, "%s: %s\n", key, text);
	ct_mem_free(text);
}

void rpcctl_show_metadata(const struct session *s)
{
	const Ct__V1__ReplyMeta *meta = ct_reply_meta(&s->reply);

	for (size_t i = 0; meta != NULL && i < meta->n_metadata; i++) {
		const char *key = meta->metadata[i]->key;
		const ProtobufCBinaryData *v = &meta->metadata[i]->value;

		if (ct_metadata_is_binary(key))
			show_binary(key, ct_bytes_of(v->data, v->len));
		else
			fprintf(stderr, "%s: %.*s\n", key, (int)v->len, (const char *)v->data);
	}
}
