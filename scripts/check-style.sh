#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fails on what the formatter does not see: a missing licence line, a line over
# 100 columns, a file over 500 lines, a missing newline at the end, CRs and
# trailing blanks.
#   scripts/check-style.sh FILE...
set -u

columns_max=100
lines_max=500
status=0

complain()
{
	echo "$1" >&2
	status=1
}

for file in "$@"; do
	case $file in
	*.[ch])
		head -n 1 "$file" | grep -qxF '/* SPDX-License-Identifier: Apache-2.0 */' ||
			complain "$file:1: the first line is not the licence line"
		long=$(expand "$file" | LC_ALL=C.UTF-8 grep -nE "^.{$((columns_max + 1))}" | cut -d: -f1 | tr '\n' ' ')
		[ -z "$long" ] || complain "$file: over $columns_max columns: line $long"
		[ "$(wc -l <"$file")" -le $lines_max ] || complain "$file: over $lines_max lines, split it"
		;;
	*)
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
			complain "$file:1: the licence line is missing"
		;;
	esac
	[ -z "$(tail -c 1 "$file")" ] || complain "$file: no newline at the end"
	blanks=$(grep -nE $'[ \t\r]+$' "$file" | cut -d: -f1 | tr '\n' ' ')
	[ -z "$blanks" ] || complain "$file: trailing blanks: line $blanks"
done
[ "$status" -ne 0 ] || echo "$# files"
exit "$status"
