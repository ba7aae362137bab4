#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo from start to end, and that it does not call a failure a success.
# It checks most of what it shows by itself; here is what only an onlooker can see.
set -u
cd "$(dirname "$0")/../.." || exit 2

build=${CT_BUILD:-build}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2034 # read by pair.sh
pair_bin=$build/bin pair_dir=$tmp pair_url=
. scripts/pair.sh
passed=0 failed=0

# check NAME COMMAND...: the command succeeds.
check()
{
	local name=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL: $name"
	cat "$tmp/said"
	tail -n 40 "$tmp/demo"
}

# demo STATUS [NAME=VALUE]...: runs it, at ports that nobody else asks for, and it must
# end so.
demo()
{
	local want=$1 status
	shift

	env TMPDIR="$tmp" SUBJECTS=40 REPORT_PORT=0 PATIENT_PORT=0 "$@" scripts/demo.sh "$build" >"$tmp/demo" 2>&1
	status=$?
	[ "$status" -eq "$want" ] && return
	echo "exit status $status, wanted $want"
	return 1
}

shows()
{
	grep -qE -- "$1" "$tmp/demo"
}

nothing_runs()
{
	! pgrep -f "store.path=$tmp/"
}

check "the demo succeeds" demo 0
check "it shows who the patient is" shows '^SYN01-101-0001  张三$'
check "and where" shows 'site 101 协和医院'
check "every section is there" shows '^The view is complete\.$'
check "the deadline stopped patient-svc" shows '^patient-svc  stopped +[0-9]+ us after'
check "the deadline stopped report-svc" shows '^report-svc   stopped +[0-9]+ us after'
check "a cancel reached report-svc as its caller's" shows '^report-svc .* abandoned  CANCELLED, parent$'
check "a section without an answer is flagged" shows '^Laboratory: MISSING, TIMEOUT'
check "both ended well" test "$(grep -c 'stopped, exit status 0$' "$tmp/demo")" -eq 2
check "the calls of both add up" test "$(grep -c ' received = .* 0 in_flight$' "$tmp/demo")" -eq 2
check "its files are gone" test -z "$(find "$tmp" -name '*.db' -o -name '*-svc.log')"
check "nothing of it runs" nothing_runs

check "a subject that does not exist is a failure" demo 1 SUBJECT=NOBODY
check "that keeps the logs" shows '^demo: logs are in '
check "and leaves nothing running" nothing_runs
check "a study that does not exist is a failure" demo 1 STUDY="$tmp/nowhere"
check "and leaves nothing running" nothing_runs

# A port that is taken: the demo goes elsewhere.
check "somebody takes a port" pair_start report-svc -s server.listen=tcp://127.0.0.1:0 \
	-s "store.path=$tmp/squatter.db"
port=${pair_url##*:}
others_may()
{
	find "$tmp" -name 'squatter.db*' -perm /077
}
check "its database is its own user's alone" test -z "$(others_may)"
check "with its ports taken it finds others" demo 0 REPORT_PORT="$port" PATIENT_PORT="$port"
check "who had it never noticed" pair_stop

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
