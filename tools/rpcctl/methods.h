/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCCTL_METHODS_H
#define RPCCTL_METHODS_H

#include "rpc/method.h"

/* Every method of every .proto of the tree, generated: arrays that end with NULL,
 * in an array that ends with NULL. */
extern const struct ct_method *const *const rpcctl_services[];

/* The method whose name is `name` or ends in it behind a '/' or '.'. NULL: none
 * or several; stderr says which. */
const struct ct_method *rpcctl_find_method(const char *name);

/* The message type of that full name, among requests, responses and what they
 * hold; NULL: none. */
const ProtobufCMessageDescriptor *rpcctl_find_message(const char *name);

#endif
