/* SPDX-License-Identifier: Apache-2.0 */
/* The callback API: a channel for each connection, stubs and messages used again and again. */
#include "load/load_main.h"
#include "rivals/grpc/target.h"

#include "echo.grpc.pb.h"

#include <chrono>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace
{

using Clock = std::chrono::system_clock; /* what gRPC takes deadlines in */

enum { CONNECT_S = 10 };

struct Target {
	std::vector<std::unique_ptr<bench::EchoService::Stub>> stubs; /* one for each connection */
	bench::Echo request;
	std::chrono::milliseconds timeout;
};

struct Slot {
	std::optional<grpc::ClientContext> context; /* can be used for one call only */
	bench::Echo response;
};

void start(void *target, load_call *call)
{
	auto *t = static_cast<Target *>(target);
	auto *slot = static_cast<Slot *>(call->user);
	const size_t payload = t->request.payload().size();

	slot->context.emplace();
	slot->context->set_deadline(Clock::now() + t->timeout);
	t->stubs[call->connection]->async()->Call(
		&*slot->context, &t->request, &slot->response,
		[call, slot, payload](const grpc::Status &status) {
			int code = status.error_code();

			if (code == 0 && slot->response.payload().size() != payload)
				code = grpc::StatusCode::INTERNAL;
			load_call_ended(call, code);
		});
}

bool prepare(void *, load_call *call)
{
	call->user = new Slot;
	return true;
}

std::shared_ptr<grpc::Channel> dial(const load_target_opts *opts, int number)
{
	grpc::ChannelArguments args;

	/* Channels with equal arguments would share one connection. */
	args.SetInt("bench.channel", number);
	grpc_at_its_best([&](const char *name, int value) { args.SetInt(name, value); });
	return grpc::CreateCustomChannel(grpc_target(opts->url), grpc::InsecureChannelCredentials(),
					 args);
}

void *open_target(const load_target_opts *opts, const char **ret_why)
{
	auto *t = new Target;

	t->request.set_payload(std::string(opts->payload_bytes, 'x'));
	t->timeout = std::chrono::milliseconds(opts->timeout_ms);
	for (uint32_t i = 0; i < opts->connections; i++) {
		auto channel = dial(opts, static_cast<int>(i));

		if (!channel->WaitForConnected(Clock::now() + std::chrono::seconds(CONNECT_S))) {
			*ret_why = "gRPC cannot connect";
			return nullptr;
		}
		t->stubs.push_back(bench::EchoService::NewStub(channel));
	}
	return t;
}

/* The process ends with its result. */
void close_target(void *)
{
}

} // namespace

int main(int argc, char **argv)
{
	load_driver driver = {};

	driver.name = "grpc";
	driver.open = open_target;
	driver.prepare = prepare;
	driver.start = start;
	driver.close = close_target;
	return load_main(argc, argv, &driver);
}
