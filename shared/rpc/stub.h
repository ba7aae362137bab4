/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CT_RPC_STUB_H
#define CT_RPC_STUB_H

/* What generated code needs of the runtime, and nothing else. */
#include "rpc/client.h"
#include "rpc/method.h"
#include "rpc/server.h"

#endif
