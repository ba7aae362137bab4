/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIVALS_GRPC_POOL_H
#define BENCH_RIVALS_GRPC_POOL_H

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

/* Threads behind a queue that has an end. */
class Pool
{
      public:
	Pool(unsigned threads, size_t most_queued) : queue_max(most_queued)
	{
		for (unsigned i = 0; i < threads; i++)
			workers.emplace_back([this] { run(); });
	}
	~Pool()
	{
		{
			std::lock_guard<std::mutex> hold(lock);
			closing = true;
		}
		wake.notify_all();
		for (auto &worker : workers)
			worker.join();
	}
	/* False: the queue is full. */
	bool submit(std::function<void()> task)
	{
		{
			std::lock_guard<std::mutex> hold(lock);
			if (queue.size() >= queue_max)
				return false;
			queue.push_back(std::move(task));
		}
		wake.notify_one();
		return true;
	}

      private:
	void run()
	{
		std::unique_lock<std::mutex> hold(lock);

		for (;;) {
			wake.wait(hold, [this] { return closing || !queue.empty(); });
			if (queue.empty())
				return;
			auto task = std::move(queue.front());
			queue.pop_front();
			hold.unlock();
			task();
			hold.lock();
		}
	}

	const size_t queue_max;
	std::mutex lock;
	std::condition_variable wake;
	std::deque<std::function<void()>> queue;
	bool closing = false;
	std::vector<std::thread> workers;
};

#endif
