#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job, seen and checked: starts report-svc and patient-svc on loopback,
# loads a study through their public calls, prints one patient's full view, stops
# work in both services by a deadline and by a cancel, shows what callers get while
# report-svc does not answer, and stops both by SIGTERM. Exits 0 only when all of
# it happened as it is told.
#   scripts/demo.sh [BUILD_DIR]          `make demo` builds first
#   STUDY=DIR    an SDTM study to load instead of a generated one
#   SUBJECTS=N   how many the generated one has (300)
#   SUBJECT=ID   whose view to print     ROWS=N  rows of each section (5; 0: all)
#   REPORT_PORT (7002), PATIENT_PORT (7001): where they listen; a free port when taken
set -u
cd "$(dirname "$0")/.." || exit 2

pair_bin=${1:-build}/bin
pair_dir=$(mktemp -d) || exit 2
. scripts/pair.sh
rpcctl=$pair_bin/rpcctl
pair_url=
slow_us=5000000 # work that nobody waits for to the end
clean=false

finish()
{
	pair_stop >/dev/null
	if $clean; then
		rm -rf "$pair_dir"
	else
		echo "demo: logs are in $pair_dir" >&2
	fi
}
trap finish EXIT
trap 'exit 130' INT TERM

heading()
{
	printf '\n==== %s\n' "$1"
}

give_up()
{
	echo "demo: $1" >&2
	exit 1
}

# A command as one would type it.
typed()
{
	local word

	printf '$'
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=,-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
}

# Prints a command and runs it.
show()
{
	typed "$@"
	echo
	"$@"
}

heading "Starting report-svc and patient-svc"
pair_start report-svc -c configs/report-svc.cfg -s probe.enabled=true \
	-s "store.path=$pair_dir/report.db" -s "server.listen=$(pair_listen "${REPORT_PORT:-7002}")" ||
	exit 1
report=$pair_url
pair_start patient-svc -c configs/patient-svc.cfg -s probe.enabled=true \
	-s "store.path=$pair_dir/patient.db" -s "server.listen=$(pair_listen "${PATIENT_PORT:-7001}")" \
	-s "peers.report.urls=$report" || exit 1
patient=$pair_url
echo "report-svc   $report"
echo "patient-svc  $patient, calls report-svc"

# ---- a study -------------------------------------------------------------------
synthetic=false
if [ -z "${STUDY:-}" ]; then
	synthetic=true
	STUDY=$pair_dir/study
	"$pair_bin/study-gen" --subjects "${SUBJECTS:-300}" "$STUDY" >/dev/null || give_up "the study could not be generated"
fi
heading "Loading the study in $STUDY"
"$pair_bin/sdtm-import" "$STUDY" --patient "$patient" --report "$report"
imported=$?
[ "$imported" -eq 0 ] || { [ "$imported" -eq 1 ] && ! $synthetic; } || # 1: bad rows, listed above
	give_up "the study could not be loaded"

# ---- one patient -----------------------------------------------------------------
# find JSON: the first subject that a search finds.
find_subject()
{
	"$rpcctl" -a "$patient" -t 5s call SearchPatients "$1" |
		sed -n 's/.*"usubjid": "\([^"]*\)".*/\1/p' | head -n 1
}

if [ -n "${SUBJECT:-}" ]; then
	subject=$SUBJECT
elif $synthetic; then
	subject=$(find_subject '{"text":"张三","page":{"size":1}}')
	[ -n "$subject" ] || subject=$(find_subject '{"text":"三","page":{"size":1}}')
else # the subject that papers about the pilot study show, where there is one
	subject=$(find_subject '{"text":"01-701-1015","page":{"size":1}}')
	[ -n "$subject" ] || subject=$(find_subject '{"page":{"size":1}}')
fi
[ -n "$subject" ] || give_up "no subject was found"

heading "One patient's full view"
for _ in 1 2 3; do # partial, 3, is what half a second's pause of the machine makes of it
	show "$pair_bin/patient-view" -a "$patient" --rows "${ROWS:-5}" "$subject" >"$pair_dir/view.txt"
	status=$?
	[ "$status" -eq 3 ] || break
done
cat "$pair_dir/view.txt"
[ "$status" -eq 0 ] || give_up "the view of $subject is not complete"
if [ -z "${SUBJECT:-}" ]; then
	for section in Laboratory 'Vital signs' Medications Cases Visits; do
		grep -q "^$section: [1-9]" "$pair_dir/view.txt" || give_up "$section: there are no rows"
	done
fi
if $synthetic; then
	grep -q '张三' "$pair_dir/view.txt" && grep -q '协和医院' "$pair_dir/view.txt" ||
		give_up "Chinese names did not survive"
fi

# ---- what a call left behind -------------------------------------------------------
# Both services remember their last calls. explained TRACE: whether both have it.
explained()
{
	"$rpcctl" -a "$patient" -a "$report" explain "$1" >"$pair_dir/explain.txt" 2>&1
	[ "$(grep -c '^[a-z]*-svc ' "$pair_dir/explain.txt")" -eq 2 ]
}

# stopped_after SERVICE: µs from the arrival of the call to the end of its work.
stopped_after()
{
	awk -v service="$1" '$1 ~ /-svc$/ { mine = $1 == service }
		mine && $1 == "budget" { for (i = 1; i < NF; i++) {
			if ($i == "queue") queue = $(i + 1)
			if ($i == "handler") print queue + $(i + 1) } }' "$pair_dir/explain.txt"
}

# The trace of the call that rpcctl made last.
trace_of()
{
	sed -n 's/^trace \([0-9a-f]*\).*/\1/p' "$pair_dir/call.err"
}

# What rpcctl said of its call and what the services say of theirs. check_stop
# STATUS: the call ended so, and both services stopped far before the work's end.
check_stop()
{
	local trace service us

	cat "$pair_dir/call.err"
	grep -q "\"code\": \"$1\"" "$pair_dir/call.err" || give_up "the call did not end with $1"
	trace=$(trace_of)
	[ -n "$trace" ] || give_up "the call has no trace"
	# The caller may know before the last service is done.
	pair_retry explained "$trace" || give_up "a service did not stop"
	echo
	typed "$rpcctl" -a "$patient" -a "$report" explain "$trace"
	echo
	cat "$pair_dir/explain.txt"
	echo
	for service in patient-svc report-svc; do
		us=$(stopped_after "$service")
		[ -n "$us" ] && [ "$us" -lt $((slow_us / 2)) ] || give_up "$service worked on for ${us:-?} us"
		printf '%-12s stopped %7d us after the call came; the work would have taken %d us\n' \
			"$service" "$us" "$slow_us"
	done
}

chain="{\"hops\":[\"report\"],\"last\":{\"sleepUs\":$slow_us}}"

heading "A deadline that cascades: 200 ms for 5 s of work, two services away"
for _ in 1 2 3; do # a machine that pauses may take the 200 ms before the second service has it
	show "$rpcctl" -a "$patient" -t 200ms --timing call Probe/Chain "$chain" 2>"$pair_dir/call.err" &&
		give_up "the call outlived its deadline"
	pair_retry explained "$(trace_of)" && break
done
check_stop DEADLINE_EXCEEDED
grep -q '^report-svc .* abandoned .*DEADLINE_EXCEEDED, deadline' "$pair_dir/explain.txt" ||
	give_up "report-svc was not stopped by the deadline"

heading "A cancel that cascades: Ctrl-C while report-svc works"
report_works()
{
	"$rpcctl" -a "$report" stats | grep -q '"running": [1-9]'
}
typed "$rpcctl" -a "$patient" --timing call Probe/Chain "$chain"
echo '     ^C'
"$rpcctl" -a "$patient" --timing call Probe/Chain "$chain" 2>"$pair_dir/call.err" &
caller=$!
pair_retry report_works || give_up "the call did not reach report-svc"
kill -INT "$caller"
wait "$caller" && give_up "the call came through"
check_stop CANCELLED
grep -q '^patient-svc .* abandoned .*CANCELLED, caller' "$pair_dir/explain.txt" &&
	grep -q '^report-svc .* abandoned .*CANCELLED, parent' "$pair_dir/explain.txt" ||
	give_up "the cancel did not pass through both services"

# ---- a service that does not answer ------------------------------------------------
heading "report-svc stops answering (SIGSTOP): a flagged partial view, in time"
kill -STOP "$(pair_pid report-svc)"
begun=${EPOCHREALTIME/./}
show "$pair_bin/patient-view" -a "$patient" -t 2s --rows 1 "$subject" >"$pair_dir/partial.txt"
status=$?
took_ms=$(((${EPOCHREALTIME/./} - begun) / 1000))
sed -n '1,/^$/!p' "$pair_dir/partial.txt"
[ "$status" -eq 3 ] || give_up "the view should have been partial"
[ "$took_ms" -lt 2000 ] || give_up "the view came late, after $took_ms ms"
for section in LAB_REPORTS VITALS VISITS; do
	grep -q "^  $section *TIMEOUT" "$pair_dir/partial.txt" || give_up "$section is not flagged"
done
for section in IDENTITY CASES MEDICATIONS; do
	grep -q "^  $section *OK" "$pair_dir/partial.txt" || give_up "$section should be there"
done
echo "It came after $took_ms ms; the caller would have waited 2000 ms."
echo
echo "The same for a caller who wants all or nothing:"
show "$pair_bin/patient-view" -a "$patient" -t 2s --whole "$subject" 2>&1 &&
	give_up "the call should have failed"

heading "report-svc answers again (SIGCONT)"
kill -CONT "$(pair_pid report-svc)"
whole_again()
{
	"$pair_bin/patient-view" -a "$patient" --rows 1 "$subject" >"$pair_dir/again.txt" 2>&1
}
pair_retry whole_again || give_up "the view did not become complete again"
sed -n '/^  section/,/^$/p' "$pair_dir/again.txt"
tail -n 1 "$pair_dir/again.txt"

# ---- the end ------------------------------------------------------------------------
# Every call that came has ended in one way, and the ways add up.
accounts()
{
	awk -v service="$1" '/ msg=stopped / {
		for (i = 1; i <= NF; i++) { split($i, kv, "="); v[kv[1]] = kv[2] }
		n = split("ok app_error refused expired cancelled peer_gone in_flight", ends, " ")
		for (i = 1; i <= n; i++) {
			sum += v[ends[i]]
			text = text (i > 1 ? " + " : "") v[ends[i]] " " ends[i]
		}
		print service ": " v["received"] " received = " text
		good = sum == v["received"] && v["in_flight"] == 0 && v["identity_ok"] == "true"
	}
	END { exit !good }' "$pair_dir/$1.log"
}

heading "Stopping both by SIGTERM"
pair_stop || give_up "a service did not stop well"
for service in patient-svc report-svc; do
	accounts "$service" || give_up "the calls of $service do not add up"
done
clean=true
printf '\nAll of it happened as told.\n'
