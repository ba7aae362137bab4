#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The benchmark's report: fixed results make a fixed page and plots, what was not run
# is said to be so, and every line that has a goal can be asked for.
#   tests/tools/test_bench.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

data=tests/data/bench
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
export PYTHONDONTWRITEBYTECODE=1

mkdir "$tmp/docs" "$tmp/again" "$tmp/empty"
check "results are reported" bench/report.py $data/results.json "$tmp/docs"
bench/report.py $data/results.json "$tmp/again" >"$tmp/goals"
check "the page is as it was" diff $data/benchmarks.md "$tmp/docs/benchmarks.md"
check "the same results make the same bytes" diff -r "$tmp/docs" "$tmp/again"

# verdict LINE WORD: what the terminal says of a line.
verdict()
{
	grep -E "^$1 " "$tmp/goals" && grep -qE "^$1 .* $2 " "$tmp/goals"
}
check "a goal that was reached is met" verdict rate-64 met
check "one that was not is missed" verdict rate-256 missed
check "one that must not be exceeded, too" verdict latency-1 met
check "the worse of two placements counts" grep -qE "^goodput-10-throttled .* 0\.95 " "$tmp/goals"
check "a line that was not run is said to be so" verdict allocations "not run"

drawn()
{
	python3 - "$1" "$2" <<-END
		import sys
		import xml.etree.ElementTree as tree
		svg = tree.parse(sys.argv[1]).getroot()
		spots = svg.findall(".//{http://www.w3.org/2000/svg}circle")
		inside = [s for s in spots if 70 <= float(s.get("cx")) <= 570 and 40 <= float(s.get("cy")) <= 350]
		print(len(spots), "spots,", len(inside), "inside the frame, wanted", sys.argv[2])
		sys.exit(len(inside) != int(sys.argv[2]) or len(spots) != len(inside))
	END
}
check "calls a second are drawn, each point inside" drawn "$tmp/docs/img/bench-rate.svg" 11
check "latency by rate, too" drawn "$tmp/docs/img/bench-open.svg" 6
check "goodput with and without throttling, too" drawn "$tmp/docs/img/bench-goodput-spins-10.svg" 4
check "and where cores are shared" drawn "$tmp/docs/img/bench-goodput-spins-10-shared.svg" 3

# Of a run of nothing at all.
python3 -c "
import json, sys
results = json.load(open('$data/results.json'))
results['suites'] = {}
json.dump(results, sys.stdout)" >"$tmp/nothing.json"
check "a run of nothing is reported" bench/report.py "$tmp/nothing.json" "$tmp/empty"
noise_is_told()
{
	sed 's/"others_percent": 0.4/"others_percent": 12.5/' $data/results.json >"$tmp/noisy.json"
	bench/report.py "$tmp/noisy.json" "$tmp/again" | grep -F 'It was not quiet'
}
check "a machine that was not quiet is told" noise_is_told
nothing_is_met()
{
	cat "$tmp/empty/benchmarks.md"
	! grep -E '\| (met|missed) \|' "$tmp/empty/benchmarks.md"
}
check "and meets nothing" nothing_is_met

lines_of()
{
	bench/run.py --list | cut -d' ' -f1
}
check "every line can be listed" test "$(lines_of | wc -l)" -eq "$(($(wc -l <"$tmp/goals") - 2))" # a head and a foot
unknown_line()
{
	bench/run.py --only nothing
	[ $? -eq 2 ]
}
check "an unknown line is refused" unknown_line

# What a run has is not measured again; without programs nothing could be.
goes_on()
{
	cp $data/results.json "$tmp/part.json"
	bench/run.py --resume "$tmp/part.json" --only rate-64 --build "$tmp/no-programs" &&
		grep -q '"resumed": true' "$tmp/part.json"
}
check "a run goes on where it broke off" goes_on
in_two_parts()
{
	bench/report.py "$tmp/part.json" "$tmp/again" && grep -F ', in two parts.' "$tmp/again/benchmarks.md"
}
check "and says so" in_two_parts

end_cases
