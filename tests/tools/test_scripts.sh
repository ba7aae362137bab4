#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of this repository: each check must find what it is for, and the
# test runner must not take a failure for a pass.
set -u
cd "$(dirname "$0")/../.." || exit 2

repo=$PWD
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# expect NAME STATUS PATTERN COMMAND...: exit status and a line of the output.
expect()
{
	local name=$1 want=$2 pattern=$3 status
	shift 3
	"$@" >"$tmp/said" 2>&1
	status=$?
	if [ "$status" -eq "$want" ] && grep -qE -- "$pattern" "$tmp/said"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL: $name: exit status $status, wanted $want and a line like: $pattern"
	sed 's/^/    /' "$tmp/said" | head -n 30
}

# tree FILE <CONTENT: a fresh small tree with that one file besides a good one.
tree()
{
	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/shared/base" "$(dirname "$tmp/tree/$1")"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n#include "base/good.h"\n' >"$tmp/tree/shared/base/good.c"
	cat >"$tmp/tree/$1"
}

# ---- check-layers ------------------------------------------------------------
tree shared/wire/a.c <<<'#include "base/status.h"'
expect "a layer may include what stands left of it" 0 'keep to their layers' \
	scripts/check-layers.sh "$tmp/tree"
tree shared/base/a.c <<<'#include "rpc/client.h"'
expect "base may not include rpc" 1 'base/a.c: may not include "rpc/' scripts/check-layers.sh "$tmp/tree"
tree shared/store/a.c <<<'#include "net/net.h"'
expect "store stands beside net" 1 'store/a.c: may not include "net/' scripts/check-layers.sh "$tmp/tree"
tree shared/rpc/a.c <<<'#include <nng/nng.h>'
expect "nng has its home in net" 1 'rpc/a.c:1: <nng/> has its one home' scripts/check-layers.sh "$tmp/tree"
tree patient-svc/domain/a.c <<<'#include "patient-svc/store/rows.h"'
expect "a domain may not see its store" 1 'domain/a.c: may not include "patient-svc/store/' \
	scripts/check-layers.sh "$tmp/tree"
tree report-svc/handlers/a.c <<<'#include "patient-svc/domain/view.h"'
expect "a service may not see the other" 1 'may not include "patient-svc/domain/' \
	scripts/check-layers.sh "$tmp/tree"

# ---- check-banned ------------------------------------------------------------
for call in 'strcpy(a, b)' 'if (x) sprintf(a, b)' 'return atoi(a)' 'x = sscanf (a, b)' \
	'nanosleep(&t, NULL)' 'free(p)' 'p = calloc(1, 2)' 'clock_gettime(0, &t)' \
	'pthread_create(&t, NULL, f, p)' 'localtime(&t)' 'sem_wait(&s)'; do
	tree shared/base/a.c <<<"	$call;"
	expect "banned: $call" 1 'base/a.c:1:.*<-' scripts/check-banned.sh "$tmp/tree"
done
tree shared/base/a.c <<'END'
/* strcpy(a, b) is not used here, nor
 * free(p) */
static const char *text = "system(\"x\")"; // atoi(y)
	ops->free(p);
	ct_mem_free(p);
	o.sleep(p);
	sqlite3_free(p);
END
expect "words in comments, literals and other names are not calls" 0 '^2 source files' \
	scripts/check-banned.sh "$tmp/tree"
tree shared/base/mem.c <<<'	free(p);'
expect "base/mem.c is where memory comes from" 0 'source files' scripts/check-banned.sh "$tmp/tree"
for text in '/* TO''DO: later */' '-----BEGIN RSA PRIVATE ''KEY-----' 'path = "/ho''me/someone/x"' \
	'token: ghp''_0123456789abcdefghijABCDEFGHIJ012345'; do
	tree docs/a.md <<<"$text"
	expect "never committed: $text" 1 'docs/a.md:1:.*<-' scripts/check-banned.sh "$tmp/tree"
done

# ---- check-headers, check-symbols, check-style ----------------------------------
tree shared/base/a.h <<<'int ct_a(size_t n);'
expect "a header that leans on others" 1 'does not compile alone with gcc' \
	env -C "$tmp/tree" "$repo/scripts/check-headers.sh" gcc -std=c11 -- shared/base/a.h
tree shared/base/a.h <<<'typedef enum { A } ct_twice;'
expect "a header without a guard" 1 'does not compile alone' \
	env -C "$tmp/tree" "$repo/scripts/check-headers.sh" gcc -std=c11 -- shared/base/a.h
tree shared/base/a.h <<<'#include <stddef.h>'
expect "a header that stands alone" 0 '^1 headers' \
	env -C "$tmp/tree" "$repo/scripts/check-headers.sh" gcc -std=c11 -- shared/base/a.h
tree shared/base/a.c <<<'int helper(void); int helper(void) { return 1; }'
gcc -c "$tmp/tree/shared/base/a.c" -o "$tmp/a.o"
expect "an external symbol without the prefix" 1 ' T helper' scripts/check-symbols.sh "$tmp/a.o"
tree shared/base/a.c <<<'int ct_f(void); int ct_f(void) { return 1; } static int own; int *ct_g = &own;'
gcc -c "$tmp/tree/shared/base/a.c" -o "$tmp/a.o"
expect "prefixed and static symbols" 0 '^2 external' scripts/check-symbols.sh "$tmp/a.o"
tree shared/base/a.c < <(printf 'int x; \n')
expect "no licence line, trailing blanks" 1 'first line is not the licence' \
	scripts/check-style.sh "$tmp/tree/shared/base/a.c"
expect "trailing blanks" 1 'trailing blanks: line 1' scripts/check-style.sh "$tmp/tree/shared/base/a.c"

# ---- the test runner -------------------------------------------------------------
# program NAME <SCRIPT
program()
{
	{ echo '#!/bin/sh'; cat; } >"$tmp/$1"
	chmod +x "$tmp/$1"
}
runner()
{
	# Without what a runner around this test asks of the sanitizers.
	env -u ASAN_OPTIONS -u UBSAN_OPTIONS -u LSAN_OPTIONS -u TSAN_OPTIONS \
		TEST_SECONDS="${limit:-60}" \
		scripts/run-tests.sh -l "$tmp/logs" "$@"
}
program good <<<'echo "3 passed, 0 failed, 2 skipped, 4 not applicable"'
program bad <<<'echo "3 passed, 1 failed"; exit 1'
program liar <<<'echo "3 passed, 1 failed"'
program moody <<<'echo "3 passed, 0 failed"; exit 3'
program silent <<<'exit 0'
program empty <<<'echo "0 passed, 0 failed"'
program crash <<<'echo "1 passed, 0 failed"; kill -SEGV $$'
program hang <<<'echo "1 passed, 0 failed"; exec tail -f /dev/null'
program leak <<'END'
echo "1 passed, 0 failed"
report=$(echo "$ASAN_OPTIONS" | sed 's/.*log_path=//; s/:.*//')
echo "ERROR: AddressSanitizer: heap-use-after-free" >"$report.1"
END
program criterion <<<'echo "[====] Synthesis: Tested: 5 | Passing: 5 | Failing: 0 | Crashing: 0"'
program criterion_bad <<<'echo "[====] Synthesis: Tested: 5 | Passing: 2 | Failing: 3 | Crashing: 1"; exit 1'
expect "runner: counts every column" 0 '^3 passed, 0 failed, 2 skipped$' runner k:"$tmp/good"
expect "runner: reads Criterion" 0 '^5 passed, 0 failed$' runner k:"$tmp/criterion"
expect "runner: reads Criterion's failures" 1 '^2 passed, 3 failed$' runner k:"$tmp/criterion_bad"
expect "runner: sums over kinds" 1 '^6 passed, 1 failed, 2 skipped$' runner a:"$tmp/good" b:"$tmp/bad"
expect "runner: a failure with exit status 0" 1 'exit status 0 although 1 failed' runner k:"$tmp/liar"
expect "runner: a pass with exit status 3" 1 'exit status 3 although no case failed' runner k:"$tmp/moody"
expect "runner: no count" 1 'printed no count' runner k:"$tmp/silent"
expect "runner: no case" 1 'ran no case' runner k:"$tmp/empty"
expect "runner: a crash after the count" 1 'exit status 139' runner k:"$tmp/crash"
limit=1 expect "runner: a program that does not end" 1 'did not end within 1 s' runner k:"$tmp/hang"
expect "runner: a sanitizer's report" 1 'a sanitizer reported' runner k:"$tmp/leak"
expect "runner: a missing program" 1 '^0 passed, 1 failed$' runner k:"$tmp/nowhere"
expect "runner: no program at all" 1 '^0 passed, 0 failed$' runner

# ---- set-up ------------------------------------------------------------------------
expect "setup: lists the packages of a purpose" 0 '^libnng-dev$' scripts/setup-debian.sh --list build
expect "setup: an unknown purpose" 2 '^usage' scripts/setup-debian.sh everything
mkdir -p "$tmp/bin"
program bin/dpkg-query <<<'echo installed gcc'
program bin/id <<<'echo 1000'
program bin/sudo <<<'exit 1'
expect "setup: says what is missing when it may not install" 1 'apt-get install .*libnng-dev' \
	env PATH="$tmp/bin:$PATH" scripts/setup-debian.sh build
program bin/dpkg-query <<END
for p in \$($repo/scripts/setup-debian.sh --list build); do echo "installed \$p"; done
END
expect "setup: nothing to do says nothing and succeeds" 0 '^0$' \
	sh -c "PATH='$tmp/bin:$PATH' scripts/setup-debian.sh build | wc -l"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
