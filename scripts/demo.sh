#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job, seen: starts report-svc and patient-svc on loopback, loads a study
# through their public calls, prints one patient's full view, shows a deadline
# and a cancel that stop work in both services, and stops both by SIGTERM.
#   scripts/demo.sh [BUILD_DIR]          `make demo` builds first
#   STUDY=DIR    an SDTM study to load instead of a generated one
#   SUBJECT=ID   whose view to print     ROWS=N  rows of each section (8; 0: all)
set -u
cd "$(dirname "$0")/.." || exit 2

build=${1:-build}
pair_bin=$build/bin
pair_dir=$build/demo
. scripts/pair.sh

rm -rf "$pair_dir"
mkdir -p "$pair_dir" || exit 2
trap 'pair_stop >/dev/null' EXIT
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

# config NAME [LINE]: small settings for one of the pair, on any free port.
config()
{
	cat >"$pair_dir/$1.cfg" <<-END
		server = { listen = [ "tcp://127.0.0.1:0" ]; };
		store = { path = "$pair_dir/$1.db"; };
		probe = { enabled = true; };
		${2:-}
	END
}

heading "Starting report-svc and patient-svc"
config report-svc
pair_start report-svc "$pair_dir/report-svc.cfg" || exit 1
report=$pair_url
config patient-svc "peers = { report = { urls = [ \"$report\" ]; }; };"
pair_start patient-svc "$pair_dir/patient-svc.cfg" || exit 1
patient=$pair_url
echo "patient-svc $patient    report-svc $report"
call() # METHOD JSON
{
	"$pair_bin/rpcctl" -a "$patient" -t 5s call "$1" "$2"
}

if [ -z "${STUDY:-}" ]; then
	STUDY=$pair_dir/study
	"$pair_bin/study-gen" "$STUDY" >/dev/null || give_up "the study could not be generated"
fi
heading "Loading the study in $STUDY"
"$pair_bin/sdtm-import" "$STUDY" --patient "$patient" --report "$report"
[ $? -le 1 ] || give_up "the study could not be loaded" # 1: rows were rejected and listed

if [ -z "${SUBJECT:-}" ]; then
	SUBJECT=$(call SearchPatients '{"page":{"size":1}}' | sed -n 's/.*"usubjid": "\([^"]*\)".*/\1/p')
	# The subject that papers about the pilot study show.
	if call GetPatient '{"usubjid":"01-701-1015"}' >/dev/null 2>&1; then
		SUBJECT=01-701-1015
	fi
fi
heading "One patient's full view: GetPatientDetail of $SUBJECT"
call GetPatientDetail "{\"usubjid\":\"$SUBJECT\"}" >"$pair_dir/view.json" ||
	give_up "no view of $SUBJECT"
awk -v rows="${ROWS:-8}" -f scripts/print-view.awk "$pair_dir/view.json"
echo "All of it: $pair_dir/view.json"
grep -q '^  "complete": true' "$pair_dir/view.json" || give_up "the view is not complete"

# cascade NAME COMMAND...: a call that wants 5 s of work in report-svc, through
# patient-svc; COMMAND ends it sooner. Both services remember their last calls,
# so what stopped where, and when, can be asked for afterwards.
cascade()
{
	local name=$1 trace
	shift
	if "$@" "$pair_bin/rpcctl" -a "$patient" --timing "${limit[@]}" call ct.v1.Probe/Chain \
		'{"hops":["report"],"last":{"sleepUs":5000000}}' 2>"$pair_dir/$name.err"; then
		give_up "the call came through"
	fi
	cat "$pair_dir/$name.err"
	trace=$(sed -n 's/^trace \([0-9a-f]*\).*/\1/p' "$pair_dir/$name.err")
	[ -n "$trace" ] || give_up "the call left no trace"
	for _ in {1..100}; do # the caller may know before the last service is done
		"$pair_bin/rpcctl" -a "$patient" -a "$report" explain "$trace" >"$pair_dir/$name.txt"
		[ "$(grep -c '^[a-z]*-svc ' "$pair_dir/$name.txt")" -lt 2 ] || break
		pair_pause
	done
	cat "$pair_dir/$name.txt"
	[ "$(grep -c '^[a-z]*-svc ' "$pair_dir/$name.txt")" -eq 2 ] || give_up "a service did not stop"
}

heading "A deadline that cascades: 150 ms for 5 s of work two services away"
limit=(-t 150ms)
cascade deadline env

heading "A caller that gives up: Ctrl-C after 200 ms"
limit=(-t 10s)
cascade cancel timeout -s INT 0.2

heading "Stopping both by SIGTERM"
trap - EXIT
pair_stop
