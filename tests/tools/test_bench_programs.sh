#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The benchmark's programs on the runtime: they measure, their counts agree, and the
# counter of mallocs sees some. How fast anything is does not matter here.
#   tests/tools/test_bench_programs.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

bin=${CT_BUILD:-build}/bench
tmp=$(mktemp -d) || exit 2
pid=
finish()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT

# holds NAME COMMAND...: the command must succeed.
holds()
{
	local name=$1
	shift
	if "$@"; then
		pass
	else
		fail "$name"
		tail -n 5 "$tmp"/*.json "$tmp/err" 2>/dev/null | cut -c1-400
	fi
}

serve()
{
	: >"$tmp/server.json"
	"$bin/ours-server" --listen "ipc://$tmp/sock" "$@" >"$tmp/server.json" &
	pid=$!
	timeout 20 grep -qm 1 '^ready' <(timeout 20 tail -n +1 -f "$tmp/server.json" 2>/dev/null)
}

stop()
{
	kill -TERM "$pid"
	wait "$pid"
	status=$?
	pid=
	return $status
}

# client ARGUMENT...: its JSON is in client.json.
client()
{
	timeout 60 "$bin/ours-client" --url "ipc://$tmp/sock" --json "$@" \
		>"$tmp/client.json" 2>"$tmp/err"
}

# number NAME FILE: the first number of that name.
number()
{
	grep -oE "\"$1\": [0-9]+" "$tmp/$2.json" | head -n 1 | grep -oE '[0-9]+$'
}

# ours FILE: what the program itself allocated.
ours()
{
	grep -oE '"ours": \{"allocs": [0-9]+' "$tmp/$1.json" | grep -oE '[0-9]+$'
}

holds "a server is ready" serve
holds "closed loop" client --outstanding 8 --warmup-ms 100 --duration-ms 300 --server-pid "$pid"
calls=$(number calls client)
holds "all calls are OK" [ "$calls" -gt 0 -a "$calls" = "$(number ok client)" ]
holds "the server's part is measured" grep -qE '"server": \{"cpu_ns": [0-9]+, "rss_kib": [1-9]' \
	"$tmp/client.json"
holds "a call allocates nothing on the caller's side" [ "$(ours client)" -lt $((calls / 100 + 10)) ]
holds "the server ends with 0" stop
holds "and has counted those of the warm-up too" [ "$(number calls server)" -ge "$calls" ]
holds "its counter of mallocs sees what a connection costs" [ "$(ours server)" -gt 0 ]

holds "a server is ready" serve --workers 4
holds "open loop over four connections" client --rate 1000 --connections 4 --payload 1024 \
	--warmup-ms 100 --duration-ms 500 --server-pid "$pid" --mark
holds "every call that was due is counted" \
	[ $(($(number calls client) + $(number missed client))) = 500 ]
stop
holds "the server counted anew from the mark" [ "$(number calls server)" -gt 0 -a \
	"$(number calls server)" -lt 600 ]

holds "nobody there" eval '! client --outstanding 1 --duration-ms 100'
holds "a wrong command line" eval 'client; [ $? -eq 2 ]'

timeout 120 "$bin/ours-stops" --quick --only deadlines >"$tmp/stops.json" 2>"$tmp/err"
holds "stops are measured" grep -q '"complete": true' "$tmp/stops.json"
holds "no caller is back before its deadline" [ "$(grep -c '"early": 0, ' "$tmp/stops.json")" = 2 ]

end_cases
