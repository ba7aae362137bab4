#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The worked example of docs/protocol.md, byte for byte: sends what the page says a
# client sends to a running report-svc and compares what comes back. A client in
# nothing but a shell, so what it needs to know is on the page.
#   tests/e2e/test_protocol.sh [PAGE]
# A line of the page: > or <, hex bytes, the field's name and a remark. Of an answer
# that "varies", length and meta_len must fit the rest; meta may be anything.
set -u
cd "$(dirname "$0")/../.." || exit 2

page=${1:-docs/protocol.md}
tmp=$(mktemp -d) || exit 2
# shellcheck disable=SC2034 # read by pair.sh
pair_bin=${CT_BUILD:-build}/bin pair_dir=$tmp pair_url=
. scripts/pair.sh
passed=0 failed=0
trap 'pair_stop >/dev/null; rm -rf "$tmp"' EXIT

ok()
{
	passed=$((passed + 1))
}

fail()
{
	failed=$((failed + 1))
	echo "FAIL: $page:$1"
}

# take N: the next N bytes of the stream as hex pairs; what there is when it ends.
take()
{
	timeout 10 head -c "$1" <&3 | od -An -v -tx1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}

number() # HEX PAIRS
{
	echo $((16#${1// /}))
}

# expect LINE "HEX PAIRS" "NAME: REMARK"
expect()
{
	local line=$1 want=$2 what=$3 n got

	n=$(wc -w <<<"$want")
	case $what in
	meta:*varies*) n=$meta_len ;;
	esac
	got=$(take "$n")
	received=$((received + $(wc -w <<<"$got")))
	case $what in
	length:*varies*) length=$(number "$got") ;;
	meta_len:*varies*) meta_len=$(number "$got") ;;
	meta:*varies*) ;;
	*)
		[ "${what%%:*}" != length ] || length=$(number "$got")
		if [ "$got" != "$want" ]; then
			fail "$line: $what: wanted $want, got ${got:-nothing}"
			return
		fi
		;;
	esac
	ok
}

# The length of an answer is what came behind it.
end_answer()
{
	[ "$received" -gt 8 ] || return
	if [ "$((received - 8))" -eq "$length" ]; then
		ok
	else
		fail "$1: the length says $length, $((received - 8)) bytes came"
	fi
}

pair_start report-svc -s server.listen=tcp://127.0.0.1:0 -s "store.path=$tmp/report.db" || exit 1
exec 3<>"/dev/tcp/127.0.0.1/${pair_url##*:}" || exit 1
# LINE DIRECTION TAB HEX TAB REMARK
awk '/^```hex/ { inside = 1; next } /^```/ { inside = 0 }
	inside { direction = $1; hex = ""
		for (i = 2; i <= NF && $i ~ /^[0-9a-f][0-9a-f]$/; i++) hex = hex (i > 2 ? " " : "") $i
		remark = ""
		for (; i <= NF; i++) remark = remark (remark != "" ? " " : "") $i
		print NR "\t" direction "\t" hex "\t" remark }' "$page" >"$tmp/lines"
sent=0 received=0 length=0 meta_len=0 last='>'
while IFS=$'\t' read -r line direction hex what <&4; do
	if [ "$direction$last" = '><' ]; then
		end_answer "$line"
	elif [ "$direction$last" = '<>' ]; then
		received=0
	fi
	last=$direction
	if [ "$direction" = '>' ]; then
		printf '%b' "\\x${hex// /\\x}" >&3
		sent=$((sent + 1))
	else
		expect "$line" "$hex" "$what"
	fi
done 4<"$tmp/lines"
end_answer "the end"
exec 3<&-
[ "$sent" -ge 30 ] && [ "$passed" -ge 40 ] || fail "the page has lost its example"
if pair_stop >"$tmp/said" 2>&1; then ok; else fail "report-svc: $(cat "$tmp/said")"; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
