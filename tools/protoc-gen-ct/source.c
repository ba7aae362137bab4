/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <string.h>

static const Google__Protobuf__SourceCodeInfo__Location *find(
	const Google__Protobuf__FileDescriptorProto *file, const struct gen_path *path)
{
	const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;

	for (size_t i = 0; info != NULL && i < info->n_location; i++) {
		const Google__Protobuf__SourceCodeInfo__Location *l = info->location[i];

		if (l->n_path == path->n &&
		    memcmp(l->path, path->at, path->n * sizeof(path->at[0])) == 0)
			return l;
	}
	return NULL;
}

const char *gen_source_where(struct gen *g, const Google__Protobuf__FileDescriptorProto *file,
			     const struct gen_path *path)
{
	const Google__Protobuf__SourceCodeInfo__Location *l = find(file, path);

	/* protoc counts lines and columns from 0. */
	if (l == NULL || l->n_span < 3 || l->span[0] < 0 || l->span[1] < 0)
		return gen_strf(g, "%s", file->name);
	return gen_strf(g, "%s:%lld:%lld", file->name, l->span[0] + 1LL, l->span[1] + 1LL);
}

const char *gen_source_comment(const Google__Protobuf__FileDescriptorProto *file,
			       const struct gen_path *path)
{
	const Google__Protobuf__SourceCodeInfo__Location *l = find(file, path);

	return l != NULL ? l->leading_comments : NULL;
}
