#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fails on calls that this tree does without, and on what must never be
# committed. Comments and literals do not count as calls.
#   scripts/check-banned.sh [ROOT]
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
status=0

# The rivals are written as users of their libraries would write them.
sources=$(find shared clinic patient-svc report-svc tools tests bench -name '*.[ch]' -type f \
	-not -path 'bench/rivals/*' 2>/dev/null | sort)
if [ -z "$sources" ]; then
	echo "no source file found below $PWD" >&2
	exit 1
fi
for file in $sources; do
	awk -f "$here/strip-c.awk" "$file" | sed "s|^|$file:|" | awk '{
		file = $0; sub(/:.*/, "", file); text = substr($0, length(file) + 2)
		n = file == last ? n + 1 : 1; last = file
		print file ":" n ":" text
	}'
done >"$work/code"

# ban "FUNCTIONS" "WHERE_ALLOWED" "WHY": calls of them outside the files that
# match WHERE_ALLOWED (an extended regular expression on the path; NONE: nowhere).
ban()
{
	local names=$1 allowed=$2 why=$3 hits

	hits=$(grep -E "^[^:]+:[0-9]+:(.*[^A-Za-z0-9_.>])?($names)[[:space:]]*\(" "$work/code" |
		{ [ "$allowed" = NONE ] && cat || grep -vE "^($allowed)"; })
	[ -z "$hits" ] && return
	printf '%s\n' "$hits" | sed "s|\$|    <- $why|" >&2
	status=1
}

ban 'strcpy|strcat|sprintf|vsprintf|gets|stpcpy' NONE 'writes without a bound; use snprintf or ct_bytes'
ban 'atoi|atol|atoll|atof|strtok|sscanf|scanf|fscanf' NONE 'hides errors; parse with a checked function'
ban 'localtime|gmtime|ctime|asctime|getpwnam|gethostbyname|readdir_r' NONE 'not safe with threads'
ban 'rand|srand|random|srandom|drand48' NONE 'ct_id or a seeded generator of its own'
ban 'sleep|usleep|nanosleep|clock_nanosleep|nng_msleep' NONE 'wait on a condition, a gate or a latch with a bound'
ban 'clock_gettime|gettimeofday|time' 'shared/base/clock\.c' 'time comes from a ct_clock'
# The tests of base have no ct_thread_start yet.
ban 'pthread_create|thrd_create|pthread_join' 'shared/conc/thread\.c|tests/unit/base/' 'ct_thread_start, ct_thread_join'
# A name look-up cannot be interrupted; it may outlive who asked.
ban 'pthread_detach|thrd_detach' 'shared/net/names\.c' 'every thread is joined'
ban 'pthread_(mutex|cond|rwlock|spin|barrier|key)_[a-z]+|sem_[a-z]+' 'shared/conc/|tests/' 'ct_lock, ct_cond, ct_latch'
ban 'system|popen|alloca|setjmp|longjmp|abort' 'shared/base/check\.c|tests/' 'not in our programs'
# tests and tools allocate as they like; the runtime and services count and can
# be made to fail. Memory that a library returns goes back to it in quote.c.
libc_memory='shared/base/mem\.c|shared/json/quote\.c'
ban 'malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf|free' \
	"$libc_memory|tests/|tools/|bench/" 'ct_mem_*'
ban 'exit|_exit|quick_exit' 'shared/rpc/services/service_main\.c|patient-svc/main\.c|report-svc/main\.c|tools/|tests/|bench/' 'return a status'

# Everything that would be committed, by its raw text.
listed=$(git ls-files --cached --others --exclude-standard 2>/dev/null)
[ -n "$listed" ] || listed=$(find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^\./||')
texts=$(printf '%s\n' "$listed" | grep -vE '^(LICENSE|tests/fuzz/corpus/)' |
	while read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done)

# never "REGEX" "WHY": lines of any text file that match.
never()
{
	local hits

	hits=$(printf '%s\n' "$texts" | xargs -d '\n' grep -nIE -- "$1" /dev/null)
	[ -z "$hits" ] && return
	printf '%s\n' "$hits" | cut -c1-160 | sed "s|\$|    <- $2|" >&2
	status=1
}

# The patterns are written so that this file does not match itself.
never '(^|[^A-Za-z])(TO''DO|FIX''ME|XX''X)([^A-Za-z]|$)' 'left for later: do it, or say in the document what is missing'
never 'not ''implemented( yet)?([^A-Za-z]|$)' 'left for later'
never '-----BEGIN [A-Z ]*PRIVATE ''KEY' 'a private key'
never '(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|xox[bap]-[0-9A-Za-z-]{10,}' 'looks like a credential'
never '(^|[^A-Za-z0-9_.$}{/-])/(home|root|work|Users)/[A-Za-z0-9]' 'a path of one machine'

[ "$status" -ne 0 ] || echo "$(printf '%s\n' "$sources" | wc -l) source files, $(printf '%s\n' "$texts" | wc -l) texts"
exit "$status"
