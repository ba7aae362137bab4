/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_TOOLS_PROTOC_GEN_CT_COMMENT_H
#define CT_TOOLS_PROTOC_GEN_CT_COMMENT_H

#include "gen.h"

/* Writes a comment of the .proto as a comment of C, wrapped, and then `fact`,
 * a line of our own. Either may be NULL; without both nothing is written.
 * Nothing in the text can end the comment early. */
void gen_comment_add(struct gen *g, struct gen_text *out, const char *comment, const char *fact);

#endif
