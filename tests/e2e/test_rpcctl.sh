#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What rpcctl sends with a call and shows of its reply.
#   tests/e2e/test_rpcctl.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

build=$PWD/${CT_BUILD:-build}
tmp=$(mktemp -d) || exit 2
pid=
finish()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
cd "$tmp" || exit 2

# rpcctl NAME STATUS PATTERN ARGUMENT...: exits so and its output matches.
rpcctl()
{
	local name=$1 status=$2 pattern=$3
	shift 3
	run "$name" "$status" "$pattern" "$build/bin/rpcctl" -a "ipc://$tmp/sock" "$@"
}

"$build/bin/report-svc" -s "server.listen=ipc://$tmp/sock" -s "store.path=$tmp/report.db" \
	-s probe.enabled=true 2>log &
pid=$!
timeout 20 grep -qm 1 'msg=started' <(timeout 20 tail -n +1 -f log 2>/dev/null) ||
	fail "report-svc does not start" log
echo=ct.v1.Probe/Echo

# ---- metadata --------------------------------------------------------------------
rpcctl "metadata comes back" 0 '^site: 701$' -H site:701 --timing call $echo
rpcctl "a blank behind the colon is not the value's" 0 '^site: 7 1$' -H 'site: 7 1' --timing call $echo
rpcctl "a value may have colons" 0 '^at: 10:30$' -H at:10:30 --timing call $echo
rpcctl "binary values are base64" 0 '^proof-bin: AP8H$' -H proof-bin:AP8H --timing call $echo
rpcctl "several keys" 0 '^b: 2$' -H a:1 -H b:2 --timing call $echo
rpcctl "no colon" 2 '-H is KEY:VALUE' -H site call $echo
rpcctl "a key in capitals" 2 "a-z, 0-9.*: Site" -H Site:701 call $echo
rpcctl "a key of the runtime" 2 "the runtime's own: ct-x" -H ct-x:1 call $echo
rpcctl "a value that does not print" 2 'printable ASCII' -H "site:$(printf 'a\tb')" call $echo
rpcctl "a binary value that is no base64" 2 'base64' -H proof-bin:'*' call $echo
large=$(printf '%09000d' 0)
rpcctl "more than 8 KiB" 1 'RESOURCE_EXHAUSTED.*over 8192 bytes.*"attempts": 0' -H "large:$large" call $echo
large=$(printf '%03000d' 0)
rpcctl "what does not fit in the reply" 0 '^small: 1$' -H "large:$large" -H small:1 --timing call $echo

# ---- a missed deadline -----------------------------------------------------------
rpcctl "who knows where the time went" 1 'the services know: .* explain [0-9a-f]{32}$' \
	-t 100ms --timing call $echo '{"sleepUs": 5000000}'

# ---- criticality -----------------------------------------------------------------
for c in sheddable default critical; do
	trace=$(timeout 20 "$build/bin/rpcctl" -a "ipc://$tmp/sock" --criticality $c --timing call $echo 2>&1 >reply |
		sed -n 's/^trace \([0-9a-f]*\),.*/\1/p')
	rpcctl "a call that is $c" 0 "attempt 1  $c\$" explain "$trace"
done
rpcctl "no criticality" 2 'not sheddable, default or critical: high' --criticality high call $echo

# ---- an answer that gets lost ----------------------------------------------------
for command in list stats explain health "call $echo" "describe $echo" --help; do
	# shellcheck disable=SC2086 # words
	timeout 20 "$build/bin/rpcctl" -a "ipc://$tmp/sock" $command 2>out >/dev/full
	[ $? -eq 1 ] && grep -q '^rpcctl: stdout: ' out && pass ||
		fail "$command does not say that nobody got its answer" out
done

# ---- a request that is waited for ------------------------------------------------
mkfifo fifo
for command in call bench; do
	timeout -k 5 1 "$build/bin/rpcctl" -a "ipc://$tmp/sock" $command $echo - <>fifo >out 2>&1
	[ $? -eq 124 ] && pass || fail "$command is not ended by a signal while it reads stdin" out
done

kill -TERM "$pid"
wait "$pid" || fail "report-svc does not stop cleanly" log
pid=
end_cases
