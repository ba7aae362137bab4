#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rpcctl bench against a service: what it counts is what the service counts, and
# whoever stops it gets what was measured.
#   tests/e2e/test_rpcctl_bench.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

build=$PWD/${CT_BUILD:-build}
tmp=$(mktemp -d) || exit 2
pid='' caller=''
finish()
{
	[ -z "$caller" ] || kill -9 "$caller" 2>/dev/null
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
cd "$tmp" || exit 2
echo=ct.v1.Probe/Echo

# holds NAME COMMAND...: the command must succeed; out and err are of the last bench.
holds()
{
	local name=$1
	shift
	if "$@"; then
		pass
	else
		fail "$name" out err
	fi
}

rpcctl()
{
	timeout 60 "$build/bin/rpcctl" -a "ipc://$tmp/sock" "$@"
}

# bench NAME STATUS ARGUMENT...: it exits so; what it printed is in out and err.
bench()
{
	local name=$1 status=$2 rc
	shift 2
	rpcctl "$@" >out 2>err
	rc=$?
	[ $rc -eq "$status" ] && pass || fail "$name: exit status $rc, wanted $status" out err
}

# number NAME [FILE]: the first number of that name.
number()
{
	grep -oE "\"$1\": \"?[0-9]+" "${2:-out}" | head -n 1 | grep -oE '[0-9]+$'
}

# counted NAME: of the service.
counted()
{
	rpcctl stats >stats 2>&1
	number "$1" stats
}

# Calls whose caller has left by a cancel, or before the service had read that.
stopped_early()
{
	echo $(($(counted cancelledRunning) + $(number peerGone stats)))
}

# await NAME NUMBER: until the service counts so many; false after some 20 s.
await()
{
	local until=$((SECONDS + 20))

	until [ "$(counted "$1")" = "$2" ]; do
		[ "$SECONDS" -lt "$until" ] || return 1
	done
}

"$build/bin/report-svc" -s "server.listen=ipc://$tmp/sock" -s "store.path=$tmp/report.db" \
	-s probe.enabled=true -s server.workers=8 2>log &
pid=$!
timeout 20 grep -qm 1 'msg=started' <(timeout 20 tail -n +1 -f log 2>/dev/null) ||
	fail "report-svc does not start" log

# ---- closed loop --------------------------------------------------------------------
before=$(counted ok)
bench "closed loop" 0 bench $echo '{"payload": "AAAA"}' --outstanding 4 --duration 300ms --json
holds "is what it says" grep -q '"mode": "closed", "outstanding": 4' out
holds "every call was OK" [ "$(number calls)" -gt 0 -a "$(number calls)" = "$(number ok)" ]
# the one that is tried first, and the one that asked for the counts before
holds "the service has counted the same" \
	[ "$(counted ok)" = $((before + $(number calls) + 2)) ]
holds "nothing on stderr but the result wanted" [ ! -s err ]

bench "text" 0 bench $echo --outstanding 2 --duration 2200ms
holds "percentiles" grep -qE '^  99\.9 % +[0-9.]+ (us|ms)' out
holds "a histogram" grep -qE '(us|ms) +[0-9.]+ %  #+$' out
holds "a line a second on what is no terminal" grep -qE '^ +[12]\.[0-9] s  [0-9]+ calls' err
holds "and no control characters" [ "$(tr -d '[:print:]\n' <err | wc -c)" = 0 ]

script -qec "'$build/bin/rpcctl' -a 'ipc://$tmp/sock' bench $echo --duration 1500ms" typescript \
	>out 2>err </dev/null
holds "live progress on a terminal" grep -q $'\r\033\\[K' out

# ---- open loop ----------------------------------------------------------------------
bench "open loop" 0 bench --rate 400 --duration 500ms --json $echo
holds "so many calls a second, and none is dropped silently" \
	[ $(($(number calls) + $(number missed))) = 200 ]
holds "how late they were sent is told" grep -qE '"late_ns": \{"count": 2?[0-9]+' out

# ---- calls that fail ----------------------------------------------------------------
bench "nothing but late calls" 1 -t 250ms bench $echo '{"sleep_us": 10000000}' --outstanding 2 \
	--duration 1s --json
holds "are counted by status" grep -q '"by_status": {"DEADLINE_EXCEEDED"' out
holds "and all of them ended" [ "$(number lost)" = 0 ]
holds "the first one is shown" grep -q '"code": "DEADLINE_EXCEEDED"' err
bench "a request that is refused" 1 bench ReportService/GetReports --duration 100ms --json
holds "says why" grep -q 'usubjid is missing' err

# ---- what cannot be measured ----------------------------------------------------------
bench "no such method" 2 bench No/Method
bench "a request that is none" 2 bench $echo '{"payload": 1}'
bench "both loops" 2 bench $echo --rate 1 --outstanding 1
bench "no call at a time" 2 bench $echo --outstanding 0
bench "a rate below nothing" 2 bench $echo --rate -5
bench "no time" 2 bench $echo --duration never
bench "an unknown option" 2 bench $echo --speed 9
bench "no method" 2 bench
bench "too many operands" 2 bench $echo '{}' '{}'
timeout 20 "$build/bin/rpcctl" -a "ipc://$tmp/nobody" bench $echo --duration 20s >out 2>err
holds "nobody there" grep -q '"code": "UNAVAILABLE"' err

# ---- the interrupt key ------------------------------------------------------------------
# One is tried first, and measured next: three at a time run only then, and for so long
# that none ends before the interrupt comes.
"$build/bin/rpcctl" -a "ipc://$tmp/sock" -t 1m bench $echo '{"sleep_us": 4000000}' \
	--outstanding 3 --connections 2 --duration 10m --json >out 2>err &
caller=$!
holds "three at a time" await running 3
holds "as many connections as asked for" await connections 3 # some who asked may still leave
holds "three at a time still" await running 3
before=$(stopped_early)
kill -INT "$caller"
wait "$caller"
caller=
holds "what was measured until then is printed" grep -q '"stopped": true' out
holds "those under way were cancelled" [ "$(grep -oE '"CANCELLED": [0-9]+' out)" = '"CANCELLED": 3' ]
holds "none runs on" await running 0
holds "on the server too" [ "$(stopped_early)" = $((before + 3)) ]

kill -TERM "$pid"
wait "$pid" || fail "report-svc does not stop cleanly" log
pid=
end_cases
