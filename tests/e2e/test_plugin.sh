#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# protoc-gen-ct through protoc: the code it writes against golden files and two
# compilers, and what it says to bad .proto files and to garbage on stdin.
#   tests/e2e/test_plugin.sh [PLUGIN]
# GOLDEN=write replaces the golden files by what the plugin writes now.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

plugin=${1:-${CT_BUILD:-build}/bin/protoc-gen-ct}
data=tests/data/proto/plugin
good=$data/good/ward_round/v1beta2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

# run_protoc OUT_ARGUMENT PROTOC_ARGUMENT...
run_protoc()
{
	local out=$1
	shift
	protoc --plugin=protoc-gen-ct="$plugin" --ct_out="$out" -Iproto -I/usr/include "$@"
}

# says PATTERN COMMAND...: the command must fail and print the pattern.
says()
{
	local pattern=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		echo "it succeeded"
		return 1
	fi
	grep -q -- "$pattern" "$tmp/said" && return 0
	echo "expected: $pattern"
	cat "$tmp/said"
	return 1
}

# ---- what it writes --------------------------------------------------------
mkdir -p "$tmp/gen"
check "good.proto is accepted" run_protoc "$tmp/gen" -I"$data/good" "$good/bed.proto"
for ext in h c; do
	[ "${GOLDEN:-}" = write ] && cp "$tmp/gen/ward_round/v1beta2/bed.ct.$ext" "$good/bed.ct.$ext.golden"
	check "bed.ct.$ext is the golden file" \
		diff -u "$good/bed.ct.$ext.golden" "$tmp/gen/ward_round/v1beta2/bed.ct.$ext"
done

strict="-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
	-Wmissing-prototypes -Werror"
mkdir -p "$tmp/msg"
check "protoc-c makes the messages" protoc-c -I"$data/good" -Iproto -I/usr/include \
	--c_out="$tmp/msg" "$good/bed.proto" proto/ct/v1/options.proto proto/ct/v1/meta.proto \
	/usr/include/google/protobuf/empty.proto /usr/include/google/protobuf/descriptor.proto
for cc in gcc clang; do
	command -v $cc >/dev/null || continue
	for ext in c h; do
		# shellcheck disable=SC2086 # a list of flags
		check "bed.ct.$ext compiles without a warning with $cc" $cc $strict -D_GNU_SOURCE -x c \
			-Ishared -isystem "$tmp/msg" -I"$tmp/gen" -fsyntax-only "$tmp/gen/ward_round/v1beta2/bed.ct.$ext"
	done
done

mkdir -p "$tmp/none"
check "a file without services is accepted" run_protoc "$tmp/none" proto/clinic/v1/common.proto
check "and gives no output" test -z "$(ls "$tmp/none")"

# ---- what it refuses -------------------------------------------------------
refused=0
for f in "$data"/bad/*.proto; do
	refused=$((refused + 1))
	check "$(basename "$f") is refused" says "$(sed -n '1s|^// expect: ||p' "$f")" \
		run_protoc "$tmp/none" -I"$data/bad" "$f"
done
check "there are bad files to refuse" test "$refused" -ge 15
check "nothing is written on an error" test -z "$(ls "$tmp/none")"

check "two files that collide pass one by one (bed)" \
	run_protoc "check:$tmp/none" -I"$data/clash" "$data/clash/bed.proto"
check "two files that collide pass one by one (room)" \
	run_protoc "check:$tmp/none" -I"$data/clash" "$data/clash/room.proto"
check "two files that collide are refused together" \
	says 'clash.RoomService/OrderDraftNote and clash.BedService/PutFirstQueryLater .* 0x6e2474b4' \
	run_protoc "check:$tmp/none" -I"$data/clash" "$data/clash/bed.proto" "$data/clash/room.proto"
check "the project's own methods do not collide" \
	run_protoc "check:$tmp/none" proto/ct/v1/*.proto proto/clinic/v1/*.proto
check "check writes nothing" test -z "$(ls "$tmp/none")"
check "an unknown parameter is refused" says 'the one parameter is `check`' \
	run_protoc "chek:$tmp/none" proto/ct/v1/probe.proto

# ---- around protoc ---------------------------------------------------------
# Exits of its own accord, with this status; a crash or a hang is neither.
exits()
{
	local want=$1 got
	shift
	timeout 20 "$@" >/dev/null 2>"$tmp/stderr"
	got=$?
	[ "$got" -eq "$want" ] && ! grep -q 'Sanitizer\|runtime error' "$tmp/stderr" && return 0
	echo "exit status $got, expected $want"
	cat "$tmp/stderr"
	return 1
}
from() # FILE COMMAND...
{
	local file=$1
	shift
	"$@" <"$file"
}

check "--help" exits 0 "$plugin" --help
check "--version" exits 0 "$plugin" --version
check "an unknown argument is named" says "unknown argument '--frob'" "$plugin" --frob
check "no input is an empty request" from /dev/null exits 0 "$plugin"
check "a full disk is an error" says 'cannot write the response' \
	sh -c '"$1" </dev/null >/dev/full' sh "$plugin"

head -c 70000000 /dev/zero >"$tmp/big"
check "more than 64 MiB is refused" from "$tmp/big" says 'larger than 64 MiB' "$plugin"
printf 'not protobuf at all' >"$tmp/text"
check "text is refused" from "$tmp/text" says 'no CodeGeneratorRequest' "$plugin"

# A message type in a message type in … : field 3 of DescriptorProto, each with its length.
awk 'function varint(n, s) {
	s = ""
	while (n >= 128) { s = s sprintf("\\%03o", n % 128 + 128); n = int(n / 128) }
	return s sprintf("\\%03o", n)
}
BEGIN {
	size = 0
	for (i = 0; i < 200; i++) {
		tag = i == 199 ? "\\172" : (i == 198 ? "\\042" : "\\032")
		v = varint(size)
		out = tag v out
		size += 1 + gsub(/\\/, "\\", v)
	}
	printf "%s", out
}' >"$tmp/deep.oct"
# shellcheck disable=SC2059 # the escapes are the point
printf "$(cat "$tmp/deep.oct")" >"$tmp/deep"
check "deep nesting is refused before it is unpacked" \
	from "$tmp/deep" says 'nests deeper than 64' "$plugin"

# A real request, cut off and with bytes flipped: it may answer or refuse, not crash.
cat >"$tmp/protoc-gen-save" <<'SAVE'
#!/bin/sh
exec cat >"$SAVE_REQUEST_TO"
SAVE
chmod +x "$tmp/protoc-gen-save"
SAVE_REQUEST_TO="$tmp/request" protoc --plugin="$tmp/protoc-gen-save" --save_out="$tmp" \
	-I"$data/good" -Iproto -I/usr/include "$good/bed.proto" 2>/dev/null
check "a saved request is answered" from "$tmp/request" exits 0 "$plugin"

survives()
{
	local file=$1 got
	timeout 20 "$plugin" <"$file" >/dev/null 2>"$tmp/stderr"
	got=$?
	[ "$got" -le 1 ] && ! grep -q 'Sanitizer\|runtime error' "$tmp/stderr" && return 0
	echo "exit status $got"
	cat "$tmp/stderr"
	return 1
}
size=$(wc -c <"$tmp/request")
survived=0
RANDOM=7 # the same bytes on every run
for i in $(seq 1 200); do
	cp "$tmp/request" "$tmp/bent"
	if [ $((i % 4)) -eq 0 ]; then
		head -c $((size * i / 201)) "$tmp/request" >"$tmp/bent"
	else
		for _ in 1 2 3; do
			printf '%b' "\\x$(printf %x $((RANDOM % 256)))" | dd of="$tmp/bent" bs=1 conv=notrunc \
				seek=$(((RANDOM * 32768 + RANDOM) % size)) 2>/dev/null
		done
	fi
	survives "$tmp/bent" >"$tmp/log" || break
	survived=$((survived + 1))
done
check "200 bent requests are survived (it was $survived)" test "$survived" -eq 200

end_cases
