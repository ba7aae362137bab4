/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include "tests/lib/leak_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(address, .fini = leak_check, .timeout = 60);

static void expect_bad(const char *url, const char *want_why)
{
	struct ct_address a = { .port = 77 };
	const char *why = "";

	cr_assert_eq(ct_address_parse(url, &a, &why), CT_INVALID_ARGUMENT, "%s", url);
	cr_assert_str_eq(why, want_why, "%s: %s", url, why);
	cr_assert_eq(a.port, 77, "a failed parse wrote its output");
}

static void expect_tcp(const char *url, const char *host, uint16_t port)
{
	char again[CT_ADDRESS_URL_SIZE];
	struct ct_address a;
	const char *why = "";

	cr_assert_eq(ct_address_parse(url, &a, &why), CT_OK, "%s: %s", url, why);
	cr_assert_not(a.ipc);
	cr_assert_str_eq(a.host, host);
	cr_assert_eq(a.port, port);
	ct_address_url(&a, again);
	cr_assert_str_eq(again, url);
}

Test(address, tcp_addresses_are_read_and_written_back)
{
	expect_tcp("tcp://127.0.0.1:0", "127.0.0.1", 0);
	expect_tcp("tcp://report-svc:65535", "report-svc", 65535);
	expect_tcp("tcp://[::1]:7001", "::1", 7001);
	expect_tcp("tcp://*:7001", "", 7001);
}

Test(address, ipc_address_is_read_and_written_back)
{
	char again[CT_ADDRESS_URL_SIZE];
	struct ct_address a;
	const char *why;

	cr_assert_eq(ct_address_parse("ipc:///run/ct/report.sock", &a, &why), CT_OK);
	cr_assert(a.ipc);
	cr_assert_str_eq(a.path, "/run/ct/report.sock");
	ct_address_url(&a, again);
	cr_assert_str_eq(again, "ipc:///run/ct/report.sock");
}

Test(address, what_is_no_address_is_refused_with_the_reason)
{
	char many[300], long_host[400], long_path[400];

	memset(many, 'x', sizeof(many));
	snprintf(long_host, sizeof(long_host), "tcp://%.256s:1", many);
	snprintf(long_path, sizeof(long_path), "ipc:///%.107s", many);
	expect_bad("", "unknown scheme: tcp:// or ipc://");
	expect_bad("http://x:1", "unknown scheme: tcp:// or ipc://");
	expect_bad("tls+tcp://x:1", "tls+tcp is not built in");
	expect_bad("tcp://x", "no port: tcp://host:port");
	expect_bad("tcp://x:", "the port is not a number");
	expect_bad("tcp://x:y", "the port is not a number");
	expect_bad("tcp://x:-1", "the port is not a number");
	expect_bad("tcp://x:123456", "the port is not a number");
	expect_bad("tcp://x:65536", "the port is over 65535");
	expect_bad("tcp://::1:80", "a v6 address needs [ ]");
	expect_bad("tcp://[::1:80", "a [ without its ]");
	expect_bad("tcp://[::1]80", "no port: tcp://host:port");
	expect_bad("tcp://x:1/path", "only host and port belong in a tcp address");
	expect_bad("tcp://me@x:1", "only host and port belong in a tcp address");
	expect_bad(long_host, "the host is too long");
	expect_bad("ipc://relative", "the path must be absolute: ipc:///path");
	expect_bad(long_path, "the path is over 107 bytes");
}

Test(address, nobody_can_dial_a_wildcard_or_port_0)
{
	struct ct_address a;
	const char *why;

	cr_assert_eq(ct_address_parse("tcp://*:80", &a, &why), CT_OK);
	cr_assert_eq(ct_address_check_dial(&a, &why), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(why, "no host to connect to");
	cr_assert_eq(ct_address_parse("tcp://x:0", &a, &why), CT_OK);
	cr_assert_eq(ct_address_check_dial(&a, &why), CT_INVALID_ARGUMENT);
	cr_assert_str_eq(why, "no port to connect to");
	cr_assert_eq(ct_address_parse("ipc:///x", &a, &why), CT_OK);
	cr_assert_eq(ct_address_check_dial(&a, &why), CT_OK);
}
