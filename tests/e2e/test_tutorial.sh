#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does what docs/tutorial.md says: writes the files it shows, runs the commands in
# their order, and compares what they print with what the page says they do.
#   tests/e2e/test_tutorial.sh [PAGE]
#   ```LANGUAGE NAME   a file          ```sh   commands behind "$ ", then their output
# In an expected line … stands for anything. A command without output in the page
# must succeed; one that asks for health is asked again until the answer is right, and
# a call whose time a busy machine took, which then had no effect, is made again.
set -u
cd "$(dirname "$0")/../.." || exit 2

page=$(realpath "${1:-docs/tutorial.md}") || exit 2
tmp=$(mktemp -d) || exit 2
passed=0 failed=0
export HOME=$tmp/home
mkdir -p "$HOME"
# The plain build, whatever this test was started by.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS VARIANT SAN OPT CC

finish()
{
	local pid

	for pid in $(jobs -p); do
		kill -CONT "$pid" 2>/dev/null
		kill -TERM "$pid" 2>/dev/null
	done
	wait
	rm -rf "$tmp"
}
trap finish EXIT

# Ports that are free now, for those of the page: 7001, 7002, 7003.
free_port()
{
	local port

	for _ in {1..200}; do
		port=$((20000 + RANDOM % 12000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		echo "$port"
		return
	done
}
ports=$(for port in 7001 7002 7003; do printf 's/:%s/:%s/g;' "$port" "$(free_port)"; done)

# The page's blocks: file N, or sh N, each in a file of its own, in their order.
awk -v out="$tmp" '
	/^```/ && !inside { inside = 1; kind = $2 != "" ? "file" : substr($1, 4); name = $2
		n = sprintf("%03d", ++blocks); target = out "/" n "." kind
		printf "%s", "" >target
		if (kind == "file") print name >(out "/" n ".name")
		next }
	/^```$/ { inside = 0; close(target); next }
	inside { print >target }' "$page"

fail()
{
	failed=$((failed + 1))
	echo "FAIL: $1"
	[ $# -lt 2 ] || printf '  wanted: %s\n  got:\n' "$2"
	head -n 15 "$tmp/said" | sed 's/^/    /'
}

# Is what was said what was expected? Line by line; … matches anything.
as_expected()
{
	local want=$1 pattern line got

	[ "$(grep -c '' <<<"$want")" -eq "$(grep -c '' "$tmp/said")" ] || return 1
	while IFS= read -r line <&3 && IFS= read -r got <&4; do
		pattern=$(sed -e 's/[][\.*^$]/\\&/g' -e 's/…/.*/g' <<<"$line")
		grep -qx -- "$pattern" <<<"$got" || return 1
	done 3<<<"$want" 4<"$tmp/said"
}

run()
{
	local command want=$2 tries=1 status

	command=$(sed "$ports" <<<"$1")
	[[ $1 != *" health" ]] || tries=2000
	[[ $1 != ./book-slot* ]] || tries=3
	while :; do
		eval "$command" >"$tmp/said" 2>&1
		status=$?
		tries=$((tries - 1))
		if [ -n "$want" ] && as_expected "$(sed "$ports" <<<"$want")"; then
			break
		elif [ -z "$want" ] && [ "$status" -eq 0 ] && ! grep -q 'warning:' "$tmp/said"; then
			break
		elif [ "$tries" -eq 0 ]; then
			fail "$command" "${want:-success without a warning}"
			return
		fi
	done
	passed=$((passed + 1))
}

# The commands of one block, each with the lines behind it.
run_block()
{
	local line command='' want=''

	while IFS= read -r line <&5; do
		if [[ $line = '$ '* ]]; then
			[ -z "$command" ] || run "$command" "$want"
			command=${line#'$ '} want=
		else
			want+=${want:+$'\n'}$line
		fi
	done 5<"$1"
	run "$command" "$want"
}

for block in "$tmp"/*.file "$tmp"/*.sh; do
	[ -f "$block" ] && basename "$block"
done | sort >"$tmp/blocks"
while read -r block <&6; do
	case $block in
	*.file) cp "$tmp/$block" "$(cat "$tmp/${block%.file}.name")" || fail "$block" ;;
	*.sh) run_block "$tmp/$block" ;;
	esac
done 6<"$tmp/blocks"
[ "$(grep -c file "$tmp/blocks")" -ge 7 ] || fail "the page has lost its files"
[ "$passed" -ge 25 ] || fail "the page has lost its commands"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
