/* SPDX-License-Identifier: Apache-2.0 */
#include "rpcctl/commands.h"
#include "tests/lib/leak_check.h"

#include "ct/v1/runtime.pb-c.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(explain, .fini = leak_check, .timeout = 60);

static void show(const char *service, const Ct__V1__CallRecord *r, char *out, size_t size)
{
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	rpcctl_show_record(f, service, r);
	rewind(f);
	out[fread(out, 1, size - 1, f)] = '\0';
	cr_assert_eq(fclose(f), 0);
}

Test(explain, record_is_shown_in_three_lines)
{
	Ct__V1__CallRecord r = CT__V1__CALL_RECORD__INIT;
	char text[1024];

	r.method = (char *)(uintptr_t) "a.v1.B/C";
	r.end_state = (char *)(uintptr_t) "abandoned";
	r.reason = (char *)(uintptr_t) "caller";
	r.code = 1;
	r.caller = (char *)(uintptr_t) "张-svc";
	r.peer = (char *)(uintptr_t) "tcp://10.0.0.7:1234";
	r.criticality = (char *)(uintptr_t) "default";
	r.budget_us = UINT64_MAX;
	r.queue_us = 7;
	r.handler_us = 900;
	r.tripped_us = 500;
	r.cancel_to_stop_us = 400;
	r.attempt = 2;
	show("b-svc", &r, text, sizeof(text));

	cr_assert_str_eq(text,
			 "b-svc          a.v1.B/C                                     abandoned  "
			 "CANCELLED, caller\n"
			 "  trace -  from 张-svc (tcp://10.0.0.7:1234)  attempt 2  default\n"
			 "  budget -1 us  queue 7 us  handler 900 us  tripped at 500 us, "
			 "stopped 400 us later\n");
}

Test(explain, nothing_in_a_record_drives_the_terminal)
{
	static char strange[] = "\x1b[2J\xc2\x9b|\xff";
	Ct__V1__CallRecord r = CT__V1__CALL_RECORD__INIT;
	char text[1024];

	r.method = r.end_state = r.reason = r.trace_id = strange;
	r.caller = r.peer = r.criticality = strange;
	show(strange, &r, text, sizeof(text));

	cr_assert_str_eq(text,
			 "?[2J?|?        ?[2J?|?                                      ?[2J?|?    "
			 "OK, ?[2J?|?\n"
			 "  trace ?[2J?|?  from ?[2J?|? (?[2J?|?)  attempt 0  ?[2J?|?\n"
			 "  budget 0 us  queue 0 us  handler 0 us\n");
}
