/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_GRPC_TARGET_H
#define BENCH_RIVALS_GRPC_TARGET_H

#include <grpc/grpc.h>
#include <string>

/* A URL of ours as gRPC names it: tcp://host:port is host:port, ipc:///path is unix:/path. */
inline std::string grpc_target(const std::string &url)
{
	if (url.compare(0, 6, "ipc://") == 0)
		return "unix:" + url.substr(6);
	return url.substr(url.find("://") + 3);
}

/* Sets what both sides run with, by set(name, value): no optional filters, which saves a tenth
 * of the processor time, but deadlines are watched, which that would switch off, too. */
template <typename Set> void grpc_at_its_best(Set set)
{
	set(GRPC_ARG_MINIMAL_STACK, 1);
	set(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 1);
}

#endif
