#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fails when a header does not compile alone, or not twice in one file.
#   scripts/check-headers.sh COMPILER FLAGS... -- HEADER...
set -u

compiler=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	compiler+=("$1")
	shift
done
[ $# -gt 1 ] || { echo "usage: $0 COMPILER FLAGS... -- HEADER..." >&2; exit 2; }
shift

# shellcheck disable=SC2317 # called through xargs
alone()
{
	local header=$1

	shift
	# The typedef is for headers that hold macros only.
	printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
		"$@" -fsyntax-only -x c - || { echo "$header does not compile alone with $1" >&2; exit 1; }
}
export -f alone

# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\n' "$@" |
	xargs -P "$(nproc)" -I{} bash -c 'alone "$@"' alone {} "${compiler[@]}" || exit 1
echo "$# headers compile alone with ${compiler[0]}"
