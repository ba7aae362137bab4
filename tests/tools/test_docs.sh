#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# That the documents speak of what is there: what is generated is current, and the
# links, files, functions, programs and targets they name exist.
set -u
export LC_ALL=C
shopt -s extglob nullglob
cd "$(dirname "$0")/../.." || exit 2

build=${CT_BUILD:-build}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
documents=(*.md docs/*.md docs/decisions/*.md proto/*.md)

# check NAME COMMAND...: the command succeeds and says nothing.
check()
{
	local name=$1
	shift
	if "$@" >"$tmp/said" 2>&1 && [ ! -s "$tmp/said" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL: $name"
	head -n 30 "$tmp/said"
}

# ---- what is generated -----------------------------------------------------------
same_settings()
{
	diff <(sed '1,/^$/d' "$1") <("$build/bin/$2" -c "$1" --print-config)
}
current_configuration()
{
	diff docs/configuration.md <(scripts/make-docs.sh "$build")
}
check "docs/configuration.md is what 'make docs' writes" current_configuration
for service in patient-svc report-svc; do
	check "configs/$service.cfg has every setting as it is printed" \
		same_settings "configs/$service.cfg" "$service"
	for config in configs/$service.cfg configs/compose/$service.cfg; do
		check "$config is in order" grep -qx "$config: the settings are in order" \
			<("$build/bin/$service" -c "$config" --check-config 2>&1)
	done
done

# ---- what they name ----------------------------------------------------------------
# Headings as links name them.
anchors()
{
	sed -n 's/^#\+ //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}

bad_links()
{
	local link file anchor dir

	dir=$(dirname "$1")
	while read -r link; do
		case $link in
		http://* | https://*) continue ;;
		esac
		file=${link%%#*}
		file=${file:+$dir/$file}
		file=${file:-$1}
		[ -e "$file" ] || echo "$1: no file $link"
		anchor=${link#*#}
		if [ "$anchor" != "$link" ] && [ -f "$file" ]; then
			anchors "$file" | grep -qxF -- "$anchor" || echo "$1: no heading $link"
		fi
	done < <(grep -oE '\]\([^) ]+\)' "$1" | sed 's/^](//; s/)$//')
}

# Files of the tree in backticks; a * stands for some, and a name with <x> for none yet.
missing_files()
{
	local name
	local -a found

	while read -r name; do
		# shellcheck disable=SC2206 # the pattern is to be expanded
		found=($name)
		[ "${#found[@]}" -gt 0 ] && [ -e "${found[0]}" ] || echo "$1: no file $name"
	done < <(grep -oE '`[A-Za-z0-9_./*-]+`' "$1" | tr -d '`' |
		grep -E '^(shared|clinic|patient-svc|report-svc|tools|tests|proto|configs|scripts|mk|docs|bench)/' |
		sort -u)
}

# Functions, types and constants, in backticks; one that ends in _ stands for a family.
our_names='\b(ct|psvc|rsvc|CT)_[A-Za-z0-9_]+'
grep -rhoE --include='*.[ch]' --include='*.sh' --include='*.mk' "$our_names" shared clinic patient-svc \
	report-svc tools tests scripts mk "$build/gen" |
	sort -u >"$tmp/names"
missing_names()
{
	grep -oE '`[^`]*`' "$1" | grep -oE "$our_names" | grep -v '_$' | sort -u |
		comm -23 - "$tmp/names" | sed "s|^|$1: not in the code: |"
}

sed -nE 's/^([a-z][a-z0-9-]*):.*/\1/p' Makefile mk/*.mk >"$tmp/targets"
make -s help | awk '{ print $1 }' >>"$tmp/targets"
missing_commands()
{
	local name

	while read -r name; do
		grep -qxF -- "$name" "$tmp/targets" || echo "$1: no target $name"
	done < <(grep -oE '(^    +|`|\$ )make [a-z][a-z-]+' "$1" | sed 's/.*make //' | sort -u)
	while read -r name; do
		[ -x "$build/bin/$name" ] || echo "$1: no program $name"
	done < <(grep -oE 'build/bin/[a-z-]+' "$1" | sed 's|build/bin/||' | sort -u)
	while read -r name; do
		[ -x "$name" ] || echo "$1: no script $name"
	done < <(grep -oE '\bscripts/[a-z-]+\.sh' "$1" | sort -u)
}

# Settings in backticks are in docs/configuration.md.
missing_settings()
{
	grep -oE '`(server|net|log|store|probe|peers|put|page|detail)\.[a-zA-Z_.]+[a-zA-Z]`' "$1" | tr -d '`' | sort -u |
		while read -r name; do
			grep -qF -- "\`$name\`" docs/configuration.md || echo "$1: no setting $name"
		done
}

# unlisted FILE MACRO PAGE PATTERN: those X(a, b, c) of the macro that are not on the
# page; @1, @2, @3 in the pattern stand for a, b and c.
unlisted()
{
	local one two three pattern

	sed -n "/define $2(X)/,/[^\\\\]\$/p" "$1" | grep -oE '\bX\([^)]{2,}\)' | tr -d '"' |
		sed -E 's/^X\((.*)\)$/\1/; s/ *, */\t/g' | while IFS=$'\t' read -r one two three; do
		pattern=${4//@1/$one}
		pattern=${pattern//@2/$two}
		pattern=${pattern//@3/$three}
		grep -qF -- "$pattern" "$3" || echo "$3: no line with $pattern"
	done
}
check "every refusal is in the protocol" unlisted shared/rpc/server.h CT_REFUSALS docs/protocol.md '| `@2` | @3 |'
check "every refusal is explained to operators" unlisted shared/rpc/server.h CT_REFUSALS docs/operations.md '`@2`'
check "every status is in the protocol" unlisted shared/base/status.h CT_STATUS_LIST docs/protocol.md '| @2 | @1 |'
check "every lock rank is explained" unlisted shared/conc/lock.h CT_LOCK_RANKS docs/threading.md '| @1 |'

for document in "${documents[@]}"; do
	check "$document: its links lead somewhere" bad_links "$document"
	check "$document: the files it names exist" missing_files "$document"
	check "$document: the names of code in it exist" missing_names "$document"
	check "$document: the commands in it exist" missing_commands "$document"
	check "$document: the settings it names exist" missing_settings "$document"
done

# ---- what must not be left out -----------------------------------------------------
pages_out_of_reach()
{
	local page

	for page in docs/*.md; do
		grep -qF "]($page)" "$1" || echo "$1: no link to $page"
	done
}
programs_left_out()
{
	local name

	for name in $(sed -n 's/^PROGRAMS := //p' Makefile); do
		grep -qE "/src/build/bin/$name( |\$)" "$1" || echo "$1: does not copy $name"
	done
}
check "README.md leads to every page" pages_out_of_reach README.md
check "the image has every program" programs_left_out Dockerfile
check "there are documents" test "${#documents[@]}" -ge 15

# ---- these checks find what they are for -----------------------------------------
finds()
{
	[ -n "$("$@")" ]
}
cat >"$tmp/bad.md" <<END
[a](nowhere.md) [b](#no-such) \`shared/base/nowhere.c\` \`ct_${none-}nowhere_do()\` and \`make nothing\`, build/bin/nobody, \`server.nothing\`
END
for finder in bad_links missing_files missing_names missing_commands missing_settings pages_out_of_reach \
	programs_left_out; do
	check "$finder finds something in a bad document" finds $finder "$tmp/bad.md"
done
check "unlisted finds a rank that is not explained" finds unlisted shared/conc/lock.h CT_LOCK_RANKS "$tmp/bad.md" '| @1 |'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
