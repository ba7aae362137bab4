#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs `make check-NAME` for each name and says which hold; ends with
# "N passed, N failed".
#   scripts/check.sh NAME...          MAKE: the make to use
set -u

log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
passed=0 failed=0
for name in "$@"; do
	if ${MAKE:-make} --no-print-directory "check-$name" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok      %-12s %s\n' "$name" "$(tail -n 1 "$log" | cut -c1-90)"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$name"
		tail -n 200 "$log" | sed 's/^/        /'
	fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
