/* SPDX-License-Identifier: Apache-2.0 */
#include "obs/log.h"

#include "base/mem.h"
#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLUSH_MS = 15000, RING_BYTES = 8192, TEXT_SIZE = 256 * 1024 };

static struct ct_log *log_to(int fd)
{
	const struct ct_log_opts opts = { .service = "svc", .fd = fd, .ring_bytes = RING_BYTES };
	struct ct_log *log = NULL;

	cr_assert_eq(ct_log_new(&opts, &log), CT_OK);
	return log;
}

/* A pipe that takes nothing more. Returns how many bytes are in it. */
static size_t fill_pipe(int fd)
{
	const int flags = fcntl(fd, F_GETFL);
	char byte = '.';
	size_t n = 0;

	cr_assert_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fd, &byte, 1) == 1)
		n++;
	cr_assert_eq(fcntl(fd, F_SETFL, flags), 0);
	return n;
}

/* What can be read without waiting. */
static size_t read_ready(int fd, char *out, size_t max)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	while (len < max && poll(&p, 1, 0) == 1) {
		const ssize_t n = read(fd, out + len, max - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static struct ct_log_stats stats_of(struct ct_log *log)
{
	struct ct_log_stats stats;

	ct_log_stats(log, &stats);
	return stats;
}

static const char *count_calls(int *calls)
{
	++*calls;
	return "value";
}

TestSuite(log, .fini = leak_check, .timeout = 60);

Test(log, each_line_is_one_write_and_they_come_in_order)
{
	enum { LINES = 50 };
	char line[CT_LOG_LINE_MAX + 1];
	char number[32];
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0); /* a write is a datagram */
	struct ct_log *log = log_to(fds[1]);

	for (int i = 0; i < LINES; i++) {
		CT_LOG(log, CT_LOG_INFO, "numbered", CT_INT("i", i));
		cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);
		const ssize_t n = recv(fds[0], line, sizeof(line) - 1, MSG_DONTWAIT);

		cr_assert_gt(n, 0);
		line[n] = '\0';
		snprintf(number, sizeof(number), " i=%d\n", i);
		cr_assert_str_eq(strchr(line, '\n') + 1, "");
		cr_assert_not_null(strstr(line, number));
		cr_assert_eq(strncmp(line, "ts=20", 5), 0);
		cr_assert_not_null(strstr(line, " level=info service=svc msg=numbered "));
	}
	cr_assert_eq(stats_of(log).written, LINES);
	cr_assert_null(ct_log_free(log));
	close(fds[0]);
	close(fds[1]);
}

Test(log, a_level_that_is_off_costs_no_field)
{
	int fds[2], calls = 0;

	cr_assert_eq(pipe(fds), 0);
	struct ct_log *log = log_to(fds[1]);

	cr_assert_not(ct_log_enabled(log, CT_LOG_DEBUG));
	CT_LOG(log, CT_LOG_DEBUG, "off", CT_STR("k", count_calls(&calls)));
	ct_log_write(log, CT_LOG_DEBUG, "off", NULL, 0);
	cr_assert_eq(calls, 0);
	ct_log_set_level(log, CT_LOG_DEBUG);
	CT_LOG(log, CT_LOG_DEBUG, "on", CT_STR("k", count_calls(&calls)));
	ct_log_set_level(log, CT_LOG_ERROR);
	CT_LOG(log, CT_LOG_WARN, "off", CT_STR("k", count_calls(&calls)));

	cr_assert_eq(calls, 1);
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);
	cr_assert_eq(stats_of(log).written, 1);
	ct_log_free(log);
	close(fds[0]);
	close(fds[1]);
}

Test(log, no_log_drops_everything)
{
	int calls = 0;

	CT_LOG(NULL, CT_LOG_ERROR, "nowhere", CT_STR("k", count_calls(&calls)));
	ct_log_write(NULL, CT_LOG_ERROR, "nowhere", NULL, 0);
	ct_log_set_level(NULL, CT_LOG_DEBUG);

	cr_assert_eq(calls, 0);
	cr_assert_not(ct_log_enabled(NULL, CT_LOG_ERROR));
	cr_assert_eq(ct_log_flush(NULL, 0), CT_OK);
	cr_assert_eq(stats_of(NULL).written, 0);
	cr_assert_null(ct_log_free(NULL));
}

Test(log, a_stuck_reader_costs_lines_and_is_told_how_many)
{
	enum { LINES = 1000 };
	static char text[TEXT_SIZE];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	const size_t filler = fill_pipe(fds[1]);
	struct ct_log *log = log_to(fds[1]);

	for (int i = 0; i < LINES; i++) /* returns, though nobody reads */
		CT_LOG(log, CT_LOG_INFO, "while it is stuck", CT_INT("i", i));
	cr_assert_eq(ct_log_flush(log, 1), CT_DEADLINE_EXCEEDED);
	const struct ct_log_stats stuck = stats_of(log);
	cr_assert_gt(stuck.dropped, 0);
	cr_assert_eq(stuck.written, 0);
	cr_assert_eq(stuck.written + stuck.dropped + stuck.waiting, LINES);

	cr_assert_eq(read_ready(fds[0], text, filler), filler);
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);
	text[read_ready(fds[0], text, TEXT_SIZE - 1)] = '\0';
	const char *note = strstr(text, " level=warn service=svc msg=\"log lines dropped\" lines=");
	cr_assert_not_null(note);
	char *end = NULL;
	cr_assert_eq(strtoul(strstr(note, "lines=") + strlen("lines="), &end, 10), stuck.dropped);
	cr_assert_eq(*end, '\n');
	cr_assert_eq(stats_of(log).written, stuck.waiting);
	cr_assert_eq(stats_of(log).waiting, 0);
	ct_log_free(log);
	close(fds[0]);
	close(fds[1]);
}

Test(log, the_descriptor_it_was_given_keeps_its_mode)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	const int before = fcntl(fds[1], F_GETFL);
	struct ct_log *log = log_to(fds[1]);

	cr_assert_eq(fcntl(fds[1], F_GETFL), before);
	ct_log_free(log);
	cr_assert_eq(fcntl(fds[1], F_GETFL), before, "free closed what it does not own");
	close(fds[0]);
	close(fds[1]);
}

Test(log, free_does_not_wait_for_ever_for_a_stuck_reader)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	fill_pipe(fds[1]);
	struct ct_log *log = log_to(fds[1]);

	CT_LOG(log, CT_LOG_INFO, "never read", CT_INT("i", 1));
	CT_LOG(log, CT_LOG_INFO, "never read", CT_INT("i", 2));
	cr_assert_null(ct_log_free(log)); /* else .timeout */
	close(fds[0]);
	close(fds[1]);
}

Test(log, free_writes_what_waits)
{
	enum { LINES = 20 };
	char text[LINES * 200];
	int fds[2], lines = 0;

	cr_assert_eq(pipe(fds), 0);
	struct ct_log *log = log_to(fds[1]);
	for (int i = 0; i < LINES; i++)
		CT_LOG(log, CT_LOG_INFO, "just before the end", CT_INT("i", i));
	ct_log_free(log);

	const size_t len = read_ready(fds[0], text, sizeof(text));
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	cr_assert_eq(lines, LINES);
	close(fds[0]);
	close(fds[1]);
}

Test(log, a_reader_that_is_gone_costs_lines_not_the_process)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	struct ct_log *log = log_to(fds[1]);
	close(fds[0]);
	CT_LOG(log, CT_LOG_ERROR, "to nobody", CT_INT("i", 1));
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);

	cr_assert_eq(stats_of(log).dropped, 1);
	cr_assert_eq(stats_of(log).written, 0);
	ct_log_free(log);
	close(fds[1]);
}

Test(log, a_line_torn_by_a_full_disk_does_not_spoil_the_next)
{
	char path[] = "/tmp/ct-test-log-XXXXXX";
	struct rlimit limit;
	char text[1024];

	const int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct ct_log *log = log_to(fd);
	const rlim_t unlimited = limit.rlim_cur;

	limit.rlim_cur = 40; /* the disk is full in the middle of the first line */
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CT_LOG(log, CT_LOG_INFO, "first", CT_INT("i", 1));
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);
	cr_assert_eq(stats_of(log).dropped, 1);
	limit.rlim_cur = unlimited;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CT_LOG(log, CT_LOG_INFO, "second", CT_INT("i", 2));
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);

	const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	cr_assert_gt(n, 40);
	text[n] = '\0';
	cr_assert_eq(text[40], '\n');
	cr_assert_eq(strncmp(text + 41, "ts=", 3), 0);
	cr_assert_not_null(strstr(text + 41, "msg=second i=2\n"));
	cr_assert_not_null(strstr(text + 41, "lines=1\n"));
	ct_log_free(log);
	close(fd);
}

Test(log, lines_that_go_out_in_pieces_arrive_whole)
{
	enum { LINES = 6 };
	static char text[LINES * CT_LOG_LINE_MAX];
	char value[CT_LOG_VALUE_MAX];
	int fds[2], small = 1, lines = 0;
	size_t len = 0;

	memset(value, 'v', sizeof(value));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	cr_assert_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	struct ct_log *log = log_to(fds[1]);
	const struct ct_log_field f[] = {
		CT_STRN("a", value, sizeof(value)),
		CT_STRN("b", value, sizeof(value)),
		CT_STRN("c", value, sizeof(value)),
	};
	ct_log_write(log, CT_LOG_INFO, "long", f, CT_ARRAY_N(f));
	ct_log_write(log, CT_LOG_INFO, "long", f, CT_ARRAY_N(f));
	while (lines < 2) {
		const ssize_t n = read(fds[0], text + len, 100);

		cr_assert_gt(n, 0);
		for (ssize_t i = 0; i < n; i++)
			lines += text[len + (size_t)i] == '\n';
		len += (size_t)n;
	}

	const char *second = strchr(text, '\n') + 1;
	cr_assert_eq((size_t)(second - text), (size_t)(text + len - second));
	cr_assert_eq(strncmp(second, "ts=", 3), 0);
	ct_log_free(log);
	close(fds[0]);
	close(fds[1]);
}

Test(log, without_memory_there_is_none_and_nothing_leaks)
{
	const struct ct_log_opts opts = { .fd = STDERR_FILENO };
	struct ct_log *log = NULL;
	uint64_t failed = 0;

	for (uint64_t nth = 1;; nth++) {
		ct_mem_fail_nth(nth);
		if (ct_log_new(&opts, &log) == CT_OK)
			break;
		cr_assert_null(log);
		failed++;
	}
	ct_mem_fail_nth(0);

	cr_assert_eq(failed, 2);
	ct_log_free(log);
}

Test(log, writing_allocates_nothing)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	struct ct_log *log = log_to(fds[1]);
	const uint64_t before = ct_mem_count();
	CT_LOG(log, CT_LOG_INFO, "cheap", CT_INT("i", 1));
	cr_assert_eq(ct_log_flush(log, FLUSH_MS), CT_OK);

	cr_assert_eq(ct_mem_count(), before);
	ct_log_free(log);
	close(fds[0]);
	close(fds[1]);
}

Test(log, names_of_levels_and_formats_are_those_of_the_settings)
{
	cr_assert_str_eq(ct_log_level_name(CT_LOG_DEBUG), "debug");
	cr_assert_str_eq(ct_log_level_name(CT_LOG_ERROR), "error");
	cr_assert_str_eq(ct_log_format_name(CT_LOG_LOGFMT), "logfmt");
	cr_assert_str_eq(ct_log_format_name(CT_LOG_JSON), "json");
}
