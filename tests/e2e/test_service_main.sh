#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The services as programs: arguments, settings, what stops them and how.
#   tests/e2e/test_service_main.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

build=$PWD/${CT_BUILD:-build}
configs=$PWD/configs
tmp=$(mktemp -d) || exit 2
pid=
finish()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
cd "$tmp" || exit 2

# logged PATTERN: waits until the service's log has such a line.
logged()
{
	timeout 20 grep -qm 1 -E -- "$1" <(timeout 20 tail -n +1 -f log 2>/dev/null)
}

# serve SETTING...: report-svc in the background with probes, on an ipc socket.
serve()
{
	local settings=(-s "server.listen=ipc://$tmp/sock" -s "store.path=$tmp/data/report.db"
		-s probe.enabled=true) s

	for s in "$@"; do
		settings+=(-s "$s")
	done
	: >log
	"$build/bin/report-svc" "${settings[@]}" 2>log &
	pid=$!
	logged 'msg=started' || fail "report-svc does not start" log
}

call()
{
	"$build/bin/rpcctl" -a "ipc://$tmp/sock" "$@"
}

# Waits until the service runs a call; not longer than the caller lives.
await_running()
{
	until call stats 2>/dev/null | grep -qE '"running": *1'; do
		kill -0 "$caller" 2>/dev/null || break
	done
}

# ended NAME STATUS PATTERN: the service exits so, and its log matches.
ended()
{
	local rc
	# it ends within its own bounds; the watchdog only keeps a hanging test short
	timeout 30 tail --pid="$pid" -f /dev/null
	kill -9 "$pid" 2>/dev/null
	wait "$pid"
	rc=$?
	pid=
	if [ $rc -eq "$2" ] && grep -qE -- "$3" log; then
		pass
	else
		fail "$1: exit status $rc, wanted $2 and '$3' in the log" log
	fi
}

# ---- arguments -------------------------------------------------------------------
for svc in patient-svc report-svc; do
	bin=$build/bin/$svc
	run "$svc --help" 0 'SIGTERM' "$bin" --help
	run "$svc --version" 0 "^$svc [0-9]+\.[0-9]+" "$bin" --version
	run "$svc: an argument it does not know" 2 "'--frob'" "$bin" --frob
	run "$svc: -c without a file" 2 "'-c' needs a value" "$bin" -c
	run "$svc: two files" 2 'may be given once' "$bin" -c a -c b
	run "$svc: the committed example" 0 'in order' "$bin" -c "$configs/$svc.cfg" --check-config
	run "$svc: no such file" 1 'none.cfg' "$bin" -c none.cfg --check-config
	run "$svc: a setting over the file's" 0 'workers = 3;' \
		"$bin" -c "$configs/$svc.cfg" -s server.workers=3 --print-config
	run "$svc: a setting out of range" 1 "-s server.workers=300: .*1\.\.256" \
		"$bin" -c "$configs/$svc.cfg" -s server.workers=300 --check-config
	{ cat "$configs/$svc.cfg"; echo 'frob = 1;'; } >bad.cfg
	run "$svc: a setting it does not know" 1 "bad.cfg:$(wc -l <bad.cfg): .*'frob'" "$bin" -c bad.cfg
	"$bin" -c "$configs/$svc.cfg" --print-config >printed.cfg
	run "$svc: what it prints it reads" 0 'in order' "$bin" -c printed.cfg --check-config
	"$bin" -c printed.cfg --print-config | cmp -s - printed.cfg && pass ||
		fail "$svc: settings printed twice differ"
	run "$svc --print-docs" 0 '^\| `store.path` \|' "$bin" --print-docs
done

patient=("$build/bin/patient-svc" -c "$configs/patient-svc.cfg" --check-config)
run "both examples together" 0 'in order' "${patient[@]}" -p "report=$configs/report-svc.cfg"
run "less time than clients allow" 1 'do not fit together' "${patient[@]}" -s server.max_deadline_ms=1000
run "a chain that is too long" 1 'GetPatientDetail has 5000 ms, its chain needs 500 ms for .*GetReports' \
	"${patient[@]}" -s detail.reply_margin_ms=4600
echo 'server = { max_deadline_ms = 100; };' >short.cfg
run "a peer with less time than is waited for" 1 'waits 500 ms for .*GetVisits, short.cfg cuts' \
	"${patient[@]}" -p report=short.cfg
run "a peer's settings that cannot be read" 1 'none.cfg' "${patient[@]}" -p report=none.cfg
run "a peer that is none" 1 'NAME=FILE' "${patient[@]}" -p "nobody=$configs/report-svc.cfg"

# ---- starting --------------------------------------------------------------------
report=("$build/bin/report-svc" -s "store.path=$tmp/data/report.db")
run "an address that is not ours" 1 'cannot listen on tcp://192.0.2.1:7' \
	"${report[@]}" -s server.listen=tcp://192.0.2.1:7
run "an address that is none" 1 'cannot listen on nowhere' "${report[@]}" -s server.listen=nowhere
run "a store whose folder cannot be made" 1 'cannot make the folder' \
	"$build/bin/report-svc" -s store.path=/proc/none/report.db
printf 'this is no database, and long enough to show it: %0200d' 0 >text.db
run "a store that is no database" 1 'DATA_LOSS|corrupt|not a database' \
	"$build/bin/report-svc" -s "store.path=$tmp/text.db"
run "another service's store" 1 'the store .*another' "$build/bin/patient-svc" \
	-s "store.path=$tmp/data/report.db" -s peers.report.urls=tcp://127.0.0.1:1

# ---- stopping --------------------------------------------------------------------
serve
call call ct.v1.Probe/Echo '{}' >/dev/null || fail "it does not answer" log
run "rpcctl stats shows what is counted of the net" 0 '"net_msgs_too_big"' \
	"$build/bin/rpcctl" -a "ipc://$tmp/sock" stats
kill -TERM "$pid"
ended "a stop with nothing to do" 0 'msg=stopped .*ok=[1-9].* identity_ok=true'

serve
call -t 20s call ct.v1.Probe/Echo '{"sleepUs":400000}' >reply 2>&1 &
caller=$!
await_running
kill -TERM "$pid"
logged 'stop asked for'
run "a call while it drains" 1 'UNAVAILABLE' \
	"$build/bin/rpcctl" -a "ipc://$tmp/sock" -t 2s call ct.v1.Probe/Echo '{}'
wait "$caller" && pass || fail "the running call does not finish" reply log
ended "a stop that lets a call finish" 0 'msg=stopped .*cancelled=0.* identity_ok=true'

serve server.drain_ms=200
call -t 20s call ct.v1.Probe/Echo '{"sleepUs":60000000}' >reply 2>&1 &
caller=$!
await_running
kill -TERM "$pid"
wait "$caller" && fail "a call of 60 s succeeds in a drain of 200 ms" reply || pass
ended "a drain that is over" 0 'msg=stopped .*cancelled=1.* identity_ok=true'

serve server.drain_ms=600000
call -t 20s call ct.v1.Probe/Echo '{"sleepUs":60000000}' >reply 2>&1 &
caller=$!
await_running
kill -INT "$pid"
logged 'stop asked for'
kill -INT "$pid"
wait "$caller" && fail "a call of 60 s succeeds after a second signal" reply || pass
ended "a second signal" 0 'stopping at once'
grep -q 'msg=stopped .*cancelled=1.* identity_ok=true' log || fail "the cancelled call is not counted"

end_cases
