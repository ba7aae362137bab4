/* SPDX-License-Identifier: Apache-2.0 */
/* The callback API. Handlers run on a pool of worker threads with a bounded queue, as the guide for
 * performance says of all that may block; a call that was cancelled while it stood there is not
 * begun. With --workers 0 the echo answers on gRPC's own threads instead, of which gRPC makes as
 * many as half the cores, but two at least. */
#include "rivals/common/server.h"
#include "rivals/grpc/pool.h"
#include "rivals/grpc/target.h"

#include "echo.grpc.pb.h"

#include <chrono>
#include <cstdio>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <time.h>

namespace
{

/* Calls that stand in line: few where handlers take their time, all others there may be. */
enum { QUEUE_MAX = 64, ECHO_QUEUE_MAX = 16384 };

int64_t thread_cpu_us()
{
	timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

class Working final : public bench::EchoService::CallbackService
{
      public:
	explicit Working(const rival_args &a)
	    : args(a), pool(a.workers, a.spin_us + a.wait_us > 0 ? QUEUE_MAX : ECHO_QUEUE_MAX)
	{
	}

      private:
	grpc::ServerUnaryReactor *Call(grpc::CallbackServerContext *context,
				       const bench::Echo *request, bench::Echo *response) override
	{
		grpc::ServerUnaryReactor *reactor = context->DefaultReactor();

		if (!pool.submit([=] { work(context, request, response, reactor); }))
			reactor->Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "full"));
		return reactor;
	}

	void work(grpc::CallbackServerContext *context, const bench::Echo *request,
		  bench::Echo *response, grpc::ServerUnaryReactor *reactor) const
	{
		if (args.spin_us > 0)
			spin(context);
		if (args.wait_us > 0 && !context->IsCancelled())
			std::this_thread::sleep_for(std::chrono::microseconds(args.wait_us));
		if (context->IsCancelled()) {
			reactor->Finish(grpc::Status::CANCELLED);
			return;
		}
		response->set_payload(request->payload());
		reactor->Finish(grpc::Status::OK);
	}

	void spin(grpc::CallbackServerContext *context) const
	{
		const int64_t until = thread_cpu_us() + args.spin_us;

		while (!context->IsCancelled() && thread_cpu_us() < until)
			;
	}

	const rival_args args;
	Pool pool;
};

class Service final : public bench::EchoService::CallbackService
{
	grpc::ServerUnaryReactor *Call(grpc::CallbackServerContext *context,
				       const bench::Echo *request, bench::Echo *response) override
	{
		grpc::ServerUnaryReactor *reactor = context->DefaultReactor();

		response->set_payload(request->payload());
		reactor->Finish(grpc::Status::OK);
		return reactor;
	}
};

} // namespace

int main(int argc, char **argv)
{
	std::unique_ptr<bench::EchoService::CallbackService> service;
	grpc::ServerBuilder builder;
	rival_args args;

	if (!rival_begin(argc, argv, &args))
		return 2;
	if (args.workers > 0)
		service = std::make_unique<Working>(args);
	else
		service = std::make_unique<Service>();
	builder.AddListeningPort(grpc_target(args.url), grpc::InsecureServerCredentials());
	builder.RegisterService(service.get());
	grpc_at_its_best(
		[&](const char *name, int value) { builder.AddChannelArgument(name, value); });
	std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
	if (server == nullptr) {
		fprintf(stderr, "grpc-server: cannot listen at %s\n", args.url);
		return 1;
	}
	rival_wait();
	server->Shutdown(std::chrono::system_clock::now());
	return 0;
}
