# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Counts the cases of a test script, which sources it, has its own folder $tmp, and
# ends with end_cases. One that can skip cases counts them in $skipped.
passed=0 failed=0

pass()
{
	passed=$((passed + 1))
}

# fail NAME [FILE...]: the ends of FILEs are shown.
fail()
{
	failed=$((failed + 1))
	echo "FAIL: $1"
	shift
	[ $# -eq 0 ] || sed 's/^/    /' "$@" | tail -n 40
}

# check NAME COMMAND...: the command must succeed; what it says goes to $tmp/log.
check()
{
	local name=$1
	shift
	# shellcheck disable=SC2154 # $tmp is the script's
	if "$@" >"$tmp/log" 2>&1; then
		pass
	else
		fail "$name" "$tmp/log"
	fi
}

# run NAME STATUS PATTERN COMMAND...: the command exits so within 20 s and what it says,
# in $tmp/out, matches.
run()
{
	local name=$1 status=$2 pattern=$3 rc
	shift 3
	timeout 20 "$@" >"$tmp/out" 2>&1
	rc=$?
	if [ $rc -eq "$status" ] && grep -qE -- "$pattern" "$tmp/out"; then
		pass
	else
		fail "$name: exit status $rc, wanted $status and '$pattern'" "$tmp/out"
	fi
}

# Says how many there were, as the runner reads it. The status: none has failed.
end_cases()
{
	echo "$passed passed, $failed failed${skipped:+, $skipped skipped}"
	[ "$failed" -eq 0 ]
}
