/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_EMIT_H
#define CT_TOOLS_PROTOC_GEN_CT_EMIT_H

#include "model.h"

/* The text of <file>.ct.h and <file>.ct.c. The file has services and the model
 * was built without errors. */
void gen_emit_header(struct gen *g, const struct gen_file *file, struct gen_text *out);
void gen_emit_source(const struct gen_file *file, struct gen_text *out);

#endif
