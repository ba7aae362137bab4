#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# study-gen: the same arguments make the same bytes, the traps are in it, and
# wrong arguments are named.
#   tests/tools/test_study_gen.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

gen=${CT_BUILD:-build}/bin/study-gen
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
tables="dm ae mh cm lb vs sv"

# says STATUS PATTERN COMMAND...: exit status and a line of the output.
says()
{
	local want=$1 pattern=$2 status
	shift 2
	"$@" >"$tmp/said" 2>&1
	status=$?
	[ "$status" -eq "$want" ] && grep -qF -- "$pattern" "$tmp/said" && return 0
	echo "exit status $status, wanted $want and a line with: $pattern"
	cat "$tmp/said"
	return 1
}

same_bytes()
{
	local t

	for t in $tables; do
		cmp "$1/$t.csv.gz" "$2/$t.csv.gz" || return 1
	done
}

# rows DIR TABLE: without the header.
rows()
{
	gzip -dc "$1/$2.csv.gz" | tail -n +2
}

# has DIR TABLE PATTERN: some row matches the extended regular expression.
has()
{
	rows "$1" "$2" | grep -cE -- "$3" >"$tmp/count"
	cat "$tmp/count"
	[ "$(cat "$tmp/count")" -gt 0 ]
}

# ---- the same bytes -----------------------------------------------------------
check "it runs" "$gen" --subjects 120 --seed 7 "$tmp/a"
check "again" "$gen" --subjects 120 --seed 7 "$tmp/b"
check "the same arguments make the same bytes" same_bytes "$tmp/a" "$tmp/b"
check "another seed" "$gen" --subjects 120 --seed 8 "$tmp/c"
check "another seed makes another study" says 1 differ cmp "$tmp/a/lb.csv.gz" "$tmp/c/lb.csv.gz"
check "fewer subjects" "$gen" --subjects 30 --seed 7 "$tmp/few"
fewer_are_the_first()
{
	local t

	for t in $tables; do
		rows "$tmp/a" "$t" | head -n "$(rows "$tmp/few" "$t" | wc -l)" >"$tmp/head"
		rows "$tmp/few" "$t" | cmp - "$tmp/head" || return 1
	done
}
check "fewer subjects are the first of many" fewer_are_the_first
no_time_in_the_header()
{
	[ "$(od -An -tx1 -j4 -N4 "$tmp/a/dm.csv.gz" | tr -d ' ')" = 00000000 ]
}
check "the gzip header bears no time" no_time_in_the_header
no_part_is_left()
{
	[ "$(find "$tmp/a" -type f | wc -l)" -eq 7 ]
}
check "no part of a file is left" no_part_is_left

# ---- weight -------------------------------------------------------------------
per_subject()
{
	local n

	n=$(rows "$tmp/a" "$1" | wc -l)
	echo "$1: $n rows of 120 subjects, wanted $2 to $3 each"
	[ "$n" -ge $((120 * $2)) ] && [ "$n" -le $((120 * $3)) ]
}
check "dm has a row for each" per_subject dm 1 1
check "lb" per_subject lb 150 240
check "vs" per_subject vs 75 125
check "cm" per_subject cm 15 35
check "sv" per_subject sv 7 14
check "mh" per_subject mh 4 8
check "ae" per_subject ae 2 6

# ---- traps --------------------------------------------------------------------
check "somebody to look for" has "$tmp/a" dm ',协和医院,.*,张,三,'
check "sites with names that need quotes" has "$tmp/a" dm '"Example Clinic, West Wing"'
check "names in Latin letters with marks" has "$tmp/a" dm 'é|ü|ö'
check "screen failures were never treated" has "$tmp/a" dm '^[^,]*,[^,]*,[^,]*,[^,]*,,,,,.*Scrnfail'
check "years alone" has "$tmp/a" cm '2[0-9]{3}-[0-9]{2}-[0-9]{2},(19|20)[0-9]{2},'
check "months alone" has "$tmp/a" cm '2[0-9]{3}-[0-9]{2}-[0-9]{2},(19|20)[0-9]{2}-[0-9]{2},'
check "results below the limit" has "$tmp/a" lb ',CRP,.*,<0\.2,'
check "a literal NA" has "$tmp/a" lb ',KETONES,.*,NA,NO UNITS,'
check "results without category" has "$tmp/a" lb ',HBA1C,Hemoglobin A1C,,'
check "dates without a time" has "$tmp/a" lb ',20[0-9]{2}-[0-9]{2}-[0-9]{2},-?[0-9]+$'
check "leading zeros" has "$tmp/a" vs ',TEMP,Temperature,,09[0-9]\.[0-9],F,'
check "degrees Celsius too" has "$tmp/a" vs ',TEMP,Temperature,,3[0-9]\.[0-9],C,'
check "what was not done" has "$tmp/a" vs ',,,,,,NOT DONE,'
check "unscheduled visits" has "$tmp/a" sv ',1\.1,UNSCHEDULED 1\.1,,'
check "many subjects" "$gen" --subjects 500 --sites 40 "$tmp/many"
twice()
{
	rows "$tmp/many" sv | cut -d, -f3,4 | sort | uniq -d | grep .
}
check "a visit that took place twice" twice
check "quotes inside a field" has "$tmp/many" ae '"RASH, ""BUTTERFLY"" TYPE"'
check "a field of two lines" has "$tmp/many" mh '^\(AS A CHILD\)"'
check "more sites than the list has" has "$tmp/many" dm ',101-02,'

# ---- arguments ----------------------------------------------------------------
check "--help" says 0 "usage: study-gen" "$gen" --help
check "--version" says 0 "study-gen $(cat VERSION)" "$gen" --version
check "no OUTDIR" says 2 "OUTDIR is missing" "$gen"
check "two OUTDIRs" says 2 "not also: y" "$gen" x y
check "no subjects" says 2 "--subjects wants a number from 1 to 100000, not: 0" "$gen" --subjects 0 x
check "a word for a number" says 2 "--seed wants a whole number, not: x" "$gen" --seed x y
check "too many sites" says 2 "--sites wants a number from 1 to 200, not: 201" "$gen" --sites 201 y
check "an option that is none" says 2 "unknown option: --subject-count" "$gen" --subject-count 3 y
check "an option without its value" says 2 "wants a value: --seed" "$gen" --seed
check "a folder that cannot be" says 1 "/dev/null" "$gen" /dev/null

end_cases
