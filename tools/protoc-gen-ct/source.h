/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_SOURCE_H
#define CT_TOOLS_PROTOC_GEN_CT_SOURCE_H

#include "gen.h"

#include "google/protobuf/descriptor.pb-c.h"

/* Where in the .proto a definition stands, and the comment before it.
 *
 * A definition is named by a path into FileDescriptorProto: { 6, service } or
 * { 6, service, 2, method }. */
enum { GEN_PATH_SERVICE = 6, GEN_PATH_METHOD = 2 };

struct gen_path {
	int32_t at[4];
	size_t n;
};

/* "clinic/v1/report.proto:12:3", or the file's name alone when protoc sent no positions. */
const char *gen_source_where(struct gen *g, const Google__Protobuf__FileDescriptorProto *file,
			     const struct gen_path *path);

/* The comment block right before the definition, or NULL. Borrowed from the request. */
const char *gen_source_comment(const Google__Protobuf__FileDescriptorProto *file,
			       const struct gen_path *path);

#endif
