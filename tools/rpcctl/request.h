/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_REQUEST_H
#define RPCCTL_REQUEST_H

#include "base/attrs.h"
#include "base/status.h"
#include "rpc/method.h"
#include "rpcctl/args.h"

/* The operands METHOD [JSON]: the method, and its request as JSON says (as it stands,
 * @FILE, or - for stdin; none: {}). Free *ret_req with protobuf_c_message_free_unpacked().
 * On an error stderr says what is wrong. */
CT_MUST_USE ct_status rpcctl_request_read(const struct rpcctl_args *args,
					  const struct ct_method **ret_method,
					  ProtobufCMessage **ret_req);

#endif
