#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs fuzz targets one after the other, FUZZ_SECONDS (20) each.
#   scripts/run-fuzz.sh BUILD_DIR NAME...
# Starts from tests/fuzz/corpus/NAME; new inputs gather in BUILD_DIR/corpus/NAME,
# inputs that fail in BUILD_DIR/artifacts. Ends with "N passed, N failed".
set -u

build=$1
shift
seconds=${FUZZ_SECONDS:-20}
export ASAN_OPTIONS="detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
passed=0 failed=0

mkdir -p "$build/artifacts" "$build/fuzz-logs" || exit 2
for name in "$@"; do
	found=$build/corpus/$name
	seeds=tests/fuzz/corpus/$name
	log=$build/fuzz-logs/$name.log
	mkdir -p "$found"
	dirs=("$found")
	[ ! -d "$seeds" ] || dirs+=("$seeds")
	if "$build/tests/fuzz-$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$build/artifacts/$name-" "${dirs[@]}" \
		>"$log" 2>&1; then
		passed=$((passed + 1))
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		covered=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
		printf 'ok      %-24s %9s runs, %s edges\n' "$name" "${runs:-?}" "${covered:-?}"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$name"
		tail -n 60 "$log"
	fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
