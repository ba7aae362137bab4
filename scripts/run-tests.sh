#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs test programs one after the other, counts their cases and prints a table.
#   scripts/run-tests.sh [-l LOG_DIR] KIND:PROGRAM...
# A program says how many cases it ran in its output, either as Criterion does
# ("Tested: 3 | Passing: 3 | Failing: 0 | Crashing: 0") or in a last line
# "N passed, N failed[, N skipped][, N not applicable]". No such line, no case
# at all, an exit status that disagrees with the count, the time limit and a
# sanitizer's report are failures too.
# TEST_SECONDS is the limit of one program (300), also told to the program.
# The last line sums everything up: "N passed, N failed[, N skipped]".
set -u

log_dir=build/test-logs
if [ "${1:-}" = -l ]; then
	log_dir=$2
	shift 2
fi
export TEST_SECONDS=${TEST_SECONDS:-300}
tail_lines=${TEST_TAIL_LINES:-120} # of a failed program's log

mkdir -p "$log_dir" || exit 2
log_dir=$(cd "$log_dir" && pwd)
unset MAKEFLAGS MFLAGS MAKELEVEL # a make that a test starts is its own
suppressions=$(cd "$(dirname "$0")/sanitizers" && pwd)
asan_user=${ASAN_OPTIONS:-} ubsan_user=${UBSAN_OPTIONS:-}
lsan_user=${LSAN_OPTIONS:-} tsan_user=${TSAN_OPTIONS:-}
kinds=()           # in the order of their first program
declare -A programs passed failed skipped inapplicable micros
failed_logs=()

# Sets run_passed, run_failed, run_skipped, run_inapplicable from a log; false
# when it holds no count.
read_counts()
{
	local log=$1 line

	run_passed=0 run_failed=0 run_skipped=0 run_inapplicable=0
	line=$(grep -aoE 'Tested: [0-9]+ \| Passing: [0-9]+ \| Failing: [0-9]+ \| Crashing: [0-9]+' \
		"$log" | tail -n 1)
	if [ -n "$line" ]; then
		# shellcheck disable=SC2046 # four numbers, to be split
		set -- $(grep -oE '[0-9]+' <<<"$line")
		run_passed=$2 run_failed=$(($1 - $2))
		return 0
	fi
	line=$(grep -aoE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ (skipped|not applicable))*$' \
		"$log" | tail -n 1)
	[ -n "$line" ] || return 1
	while read -r number word; do
		case $word in
		passed) run_passed=$number ;;
		failed) run_failed=$number ;;
		skipped) run_skipped=$number ;;
		*) run_inapplicable=$number ;;
		esac
	done < <(tr ',' '\n' <<<"$line")
}

# Each sanitizer writes its reports to files, because Criterion and programs
# that start others would lose an exit status or a line on stderr.
set_sanitizer_options()
{
	local reports=$1

	export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:\
check_initialization_order=1:log_path=$reports:$asan_user"
	export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:log_path=$reports:$ubsan_user"
	export LSAN_OPTIONS="print_suppressions=0:suppressions=$suppressions/lsan.supp:$lsan_user"
	export TSAN_OPTIONS="second_deadlock_stack=1:suppressions=$suppressions/tsan.supp:\
log_path=$reports:$tsan_user"
}

# Removes reports in which every leak has no frame but Criterion's own: one of
# its allocations, now and then, at the end of its runner. A suppression would
# not do, because Criterion is in the stack of every test's leak as well. Such a
# leak makes the runner's exit status 1, which then says nothing about tests.
drop_criterion_leaks()
{
	local report

	runner_leaked=false
	for report in "$1".*; do
		[ -f "$report" ] || continue
		awk '/^(Direct|Indirect) leak/ { leaks++ }
			/ERROR: / && !/LeakSanitizer/ { foreign = 1 }
			/^ +#[1-9]/ && !/libcriterion\.so/ { foreign = 1 }
			END { exit !(leaks > 0 && !foreign) }' "$report" || continue
		rm -f "$report"
		runner_leaked=true
	done
}

# Why a run must count as failed although its own count says it did not; empty
# when there is nothing to add.
verdict()
{
	local status=$1 counted=$2 reports=$3

	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		echo "did not end within $TEST_SECONDS s"
	elif ! $counted; then
		echo "printed no count, exit status $status"
	elif compgen -G "$reports.*" >/dev/null; then
		echo "a sanitizer reported"
	elif [ $((run_passed + run_failed + run_skipped + run_inapplicable)) -eq 0 ]; then
		echo "ran no case"
	elif [ "$status" -ne 0 ] && [ "$run_failed" -eq 0 ] && ! $runner_leaked; then
		echo "exit status $status although no case failed"
	elif [ "$status" -eq 0 ] && [ "$run_failed" -ne 0 ]; then
		echo "exit status 0 although $run_failed failed"
	fi
}

run_one()
{
	local kind=$1 program=$2 name log reports status counted=true why begun
	name=$kind-$(basename "$program")
	log=$log_dir/$name.log
	reports=$log_dir/$name.sanitizer

	rm -f "$log" "$reports".*
	begun=${EPOCHREALTIME/./}
	set_sanitizer_options "$reports"
	# The outer braces silence the shell's own line about a crash.
	{ timeout -k 10 "$TEST_SECONDS" "$program" >"$log" 2>&1 </dev/null; } 2>/dev/null
	status=$?
	local took=$((${EPOCHREALTIME/./} - begun))

	drop_criterion_leaks "$reports"
	read_counts "$log" || counted=false
	why=$(verdict "$status" "$counted" "$reports")
	if [ -n "$why" ] && { ! $counted || [ "$run_failed" -eq 0 ]; }; then
		run_failed=$((run_failed + 1))
	fi
	if [ "$run_failed" -gt 0 ]; then
		failed_logs+=("$name")
		why=${why:-$run_failed failed}
	fi
	printf '%-12s %-28s %5d passed %7.1f s%s\n' "$kind" "$(basename "$program")" "$run_passed" \
		"$((took / 100000))e-1" "${why:+   FAILED: $why}"

	if [ -z "${programs[$kind]:-}" ]; then
		kinds+=("$kind")
		programs[$kind]=0 passed[$kind]=0 failed[$kind]=0
		skipped[$kind]=0 inapplicable[$kind]=0 micros[$kind]=0
	fi
	programs[$kind]=$((programs[$kind] + 1))
	passed[$kind]=$((passed[$kind] + run_passed))
	failed[$kind]=$((failed[$kind] + run_failed))
	skipped[$kind]=$((skipped[$kind] + run_skipped))
	inapplicable[$kind]=$((inapplicable[$kind] + run_inapplicable))
	micros[$kind]=$((micros[$kind] + took))
}

show_failed_logs()
{
	local name file

	for name in "${failed_logs[@]}"; do
		for file in "$log_dir/$name.log" "$log_dir/$name.sanitizer".*; do
			[ -f "$file" ] || continue
			printf '\n---- %s (last %d lines)\n' "${file#"$PWD"/}" "$tail_lines"
			tail -n "$tail_lines" "$file"
		done
	done
}

row()
{
	printf '%-12s %9s %7s %7s %7s %8s %15s %9s\n' "$@"
}

summary()
{
	local kind all_passed=0 all_failed=0 all_skipped=0 all_inapplicable=0 all_programs=0 all_micros=0
	local cases

	printf '\n'
	row kind programs cases passed failed skipped 'not applicable' seconds
	for kind in "${kinds[@]}"; do
		cases=$((passed[$kind] + failed[$kind]))
		row "$kind" "${programs[$kind]}" "$cases" "${passed[$kind]}" "${failed[$kind]}" \
			"${skipped[$kind]}" "${inapplicable[$kind]}" \
			"$(printf '%.1f' "$((micros[$kind] / 100000))e-1")"
		all_programs=$((all_programs + programs[$kind]))
		all_passed=$((all_passed + passed[$kind]))
		all_failed=$((all_failed + failed[$kind]))
		all_skipped=$((all_skipped + skipped[$kind]))
		all_inapplicable=$((all_inapplicable + inapplicable[$kind]))
		all_micros=$((all_micros + micros[$kind]))
	done
	row total "$all_programs" $((all_passed + all_failed)) "$all_passed" "$all_failed" \
		"$all_skipped" "$all_inapplicable" "$(printf '%.1f' "$((all_micros / 100000))e-1")"
	printf '\n%d passed, %d failed' "$all_passed" "$all_failed"
	[ "$all_skipped" -eq 0 ] || printf ', %d skipped' "$all_skipped"
	printf '\n'
	[ "$all_failed" -eq 0 ] && [ "$all_programs" -gt 0 ]
}

for arg in "$@"; do
	run_one "${arg%%:*}" "${arg#*:}"
done
[ ${#failed_logs[@]} -eq 0 ] || show_failed_logs
summary
