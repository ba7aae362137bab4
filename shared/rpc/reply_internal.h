/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_REPLY_INTERNAL_H
#define CT_RPC_REPLY_INTERNAL_H

#include "rpc/reply.h"

/* Ready for the next call: everything the last one left is gone. */
void ct_reply__reset(struct ct_reply *r);

/* metadata.c. What breaks the rules is as if it had not come. */
void ct_reply__drop_broken_metadata(Ct__V1__ReplyMeta *meta);

#endif
