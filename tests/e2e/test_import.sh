#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sdtm-import against both services as processes: a study goes in, a second run
# changes nothing, bad rows and files are told, and a run that is killed or whose
# services die can simply be repeated.
#   tests/e2e/test_import.sh
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib/cases.sh

bin=${CT_BUILD:-build}/bin
data=tests/data/sdtm
tmp=$(mktemp -d) || exit 2
patient=ipc://$tmp/patient.sock report=ipc://$tmp/report.sock
patient_pid='' report_pid=''
skipped=0

stop()
{
	[ -z "$1" ] && return
	kill "-$2" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
trap 'stop "$patient_pid" KILL; stop "$report_pid" KILL; rm -rf "$tmp"' EXIT

start_patient()
{
	"$bin/patient-svc" -c configs/patient-svc.cfg -s "server.listen=$patient" \
		-s "peers.report.urls=$report" -s "store.path=$tmp/patient.db" \
		2>>"$tmp/patient.log" &
	patient_pid=$!
}

start_report()
{
	"$bin/report-svc" -c configs/report-svc.cfg -s "server.listen=$report" \
		-s "store.path=$tmp/report.db" 2>>"$tmp/report.log" &
	report_pid=$!
}

# import STATUS DIR OPTION...: runs it; what it printed is in $tmp/out, $tmp/err.
import()
{
	local want=$1 status
	shift
	"$bin/sdtm-import" "$@" --patient "$patient" --report "$report" >"$tmp/out" 2>"$tmp/err"
	status=$?
	cat "$tmp/err" "$tmp/out"
	[ "$status" -eq "$want" ] || echo "exit status $status, wanted $want"
	[ "$status" -eq "$want" ]
}

# sum READ CREATED UPDATED UNCHANGED REJECTED: the last line of the table.
sum()
{
	local line

	line=$(sed -n 's/^total *//p' "$tmp/out" | tr -s ' ')
	echo "total $line, wanted $*"
	[ "$line" = "$*" ]
}

# said FILE TEXT
said()
{
	cat "$1"
	grep -qF -- "$2" "$1"
}

# rows_of DIR: of a synthetic study, whose fields of two lines end in a known way.
rows_of()
{
	local n=0 t

	for t in dm ae mh cm lb vs sv; do
		n=$((n + $(gzip -dc "$1/$t.csv.gz" | tail -n +2 | grep -vc '^(AS A CHILD)')))
	done
	echo "$n"
}

"$bin/study-gen" --subjects 40 --seed 2 "$tmp/study" >/dev/null || exit 2
rows=$(rows_of "$tmp/study")

# ---- a study goes in ----------------------------------------------------------
start_patient
start_report
check "a study is stored, every row of it" import 0 "$tmp/study"
check "all rows are created" sum "$rows $rows 0 0 0"
check "a second run is good" import 0 "$tmp/study" --concurrency 2 --batch 17
check "a second run changes nothing" sum "$rows 0 0 $rows 0"
"$bin/rpcctl" -a "$patient" -t 20s call clinic.v1.PatientService/GetPatient \
	'{"usubjid": "SYN01-101-0001"}' >"$tmp/patient.json" 2>&1
check "the name came through" said "$tmp/patient.json" '"三"'
check "so did the hospital's" said "$tmp/patient.json" '"协和医院"'
"$bin/rpcctl" -a "$report" -t 20s call clinic.v1.ReportService/GetReports \
	'{"usubjid": "SYN01-101-0001", "page": {"size": 100}}' >"$tmp/reports.json" 2>&1
check "reports bear their natural key" said "$tmp/reports.json" '"LB/SYN01/SYN01-101-0001/CHEMISTRY/1/'

# ---- bad rows and files -------------------------------------------------------
check "bad rows are rejected, the others stored" \
	import 1 $data/bad --rejects "$tmp/rejects.csv"
check "the sum holds" sum "30 9 0 0 21"
sort "$tmp/rejects.csv" >"$tmp/rejects"
check "every rejected row is told with file, line, column and reason" \
	diff <(sort $data/bad/rejects.expected) "$tmp/rejects"
check "people see them, too" said "$tmp/err" 'ae.csv:2:AESTDTC: has no such day in that month: "2013-02-30"'
check "a second run of it" import 1 $data/bad
check "changes nothing either" sum "30 0 0 9 21"
check "a table without a column it needs refuses the study" import 2 $data/missing-column
check "the columns are named" said "$tmp/err" "lb.csv:1: required column missing: LBTESTCD, LBDTC"
check "nothing was done" test ! -s "$tmp/out"
swapped()
{
	"$bin/sdtm-import" "$tmp/study" --patient "$report" --report "$patient" \
		>"$tmp/out" 2>"$tmp/err"
	[ $? -eq 2 ]
}
check "addresses that were swapped end the run" swapped
check "the service's answer is told" said "$tmp/err" "stopped: dm.csv.gz: UNIMPLEMENTED: "
check "and no row is blamed" said "$tmp/out" "not sent"
check "without dm, subjects are asked for" import 1 $data/no-dm
check "rows of those who are stored are stored" sum "5 2 0 0 3"
check "what cannot be a subject's id is no subject" said "$tmp/err" 'no such subject in this study: "BAD?1"'
mkdir -p "$tmp/cut"
cp "$tmp/study/dm.csv.gz" "$tmp/cut"
head -c 20000 "$tmp/study/lb.csv.gz" >"$tmp/cut/lb.csv.gz"
check "a truncated table ends in status 1" import 1 "$tmp/cut"
check "what is wrong with it is said, and where" \
	said "$tmp/err" "the gzip data end early, the file is truncated; the rows from here on"
nothing_rejected()
{
	local line

	line=$(sed -n 's/^lb *//p' "$tmp/out" | tr -s ' ')
	echo "lb $line"
	[ "$(cut -d' ' -f1 <<<"$line")" -gt 100 ] && [ "$(cut -d' ' -f5 <<<"$line")" -eq 0 ]
}
check "the rows before that are stored" nothing_rejected
check "the whole table mends it" import 0 "$tmp/study"

# ---- bad luck -----------------------------------------------------------------
"$bin/study-gen" --subjects 150 --seed 3 "$tmp/large" >/dev/null || exit 2
large=$(rows_of "$tmp/large")
for after in 0.2 0.5; do
	timeout -s KILL "$after" "$bin/sdtm-import" "$tmp/large" --patient "$patient" \
		--report "$report" >/dev/null 2>&1
done
check "a run that was killed is repeated" import 0 "$tmp/large"
check "and then everything is there" import 0 "$tmp/large"
check "once" sum "$large 0 0 $large 0"

stop "$report_pid" KILL
report_pid=''
check "an absent service ends the run" import 2 "$tmp/study" --retry-for 1s
check "it is named" said "$tmp/err" "report-svc at $report cannot be reached"
check "what went to the other one is counted" said "$tmp/out" "dm              40           0"

# The importer waits for report-svc; it is interrupted once, and once gets it.
waiting()
{
	mkfifo "$tmp/fifo"
	"$bin/sdtm-import" "$tmp/study" --patient "$patient" --report "$report" \
		>"$tmp/out" 2>"$tmp/fifo" &
	importer=$!
	exec 5<"$tmp/fifo"
	rm "$tmp/fifo"
	while read -r -t 20 line <&5; do
		case $line in "waiting for report-svc"*) return 0 ;; esac
	done
	return 1
}
check "it says that it waits" waiting
kill -INT "$importer"
cat <&5 >"$tmp/err"
wait "$importer"
check "an interrupted run says so in its status" test $? -eq 2
check "and in words" said "$tmp/err" "was waited for when interrupted"
check "it waits again" waiting
start_report
cat <&5 >"$tmp/err"
wait "$importer"
check "a service that comes late is enough" test $? -eq 0
check "and nothing changed" sum "$rows 0 0 $rows 0"

# Both services die in the middle of the load and come back.
"$bin/study-gen" --subjects 200 --seed 4 "$tmp/third" >/dev/null || exit 2
late_subject=$(gzip -dc "$tmp/third/lb.csv.gz" | cut -d, -f3 | uniq | sed -n 60p)
"$bin/sdtm-import" "$tmp/third" --patient "$patient" --report "$report" >"$tmp/out" 2>"$tmp/err" &
importer=$!
reports_arrive()
{
	local tries=0

	until "$bin/rpcctl" -a "$report" call clinic.v1.ReportService/GetReports \
		"{\"usubjid\": \"$late_subject\"}" 2>/dev/null | grep -q reportId; do
		tries=$((tries + 1))
		[ $tries -lt 3000 ] || return 1
	done
}
check "reports of a late subject arrive" reports_arrive
kill -STOP "$importer" # however long the rest here takes
check "while the run goes on" kill -0 "$importer"
stop "$report_pid" KILL
stop "$patient_pid" KILL
start_patient
start_report
kill -CONT "$importer"
wait "$importer"
check "a run outlives its services" test $? -eq 0
check "with nothing rejected" said "$tmp/out" "each row is counted once"
check "a further run finds everything there" import 0 "$tmp/third"
third=$(sed -n 's/^total *//p' "$tmp/out" | tr -s ' ' | cut -d' ' -f1)
check "unchanged" sum "$third 0 0 $third 0"

# ---- privacy ------------------------------------------------------------------
names_are_nowhere()
{
	! cat "$tmp"/*.log "$tmp/err" "$tmp/rejects.csv" | grep -E '秀英|桂兰|Mustermann|000-0000-'
}
check "no name and no telephone number is in any log or list" names_are_nowhere

# ---- arguments ----------------------------------------------------------------
"$bin/sdtm-import" --help >"$tmp/help"
"$bin/sdtm-import" --version >"$tmp/version"
check "--help" said "$tmp/help" "usage: sdtm-import DIR"
check "--version" said "$tmp/version" "sdtm-import $(cat VERSION)"
check "a folder that is none" import 2 "$tmp/nowhere"
check "a list of rejects that cannot be written" import 2 "$tmp/study" --rejects /nonexistent/x.csv

# ---- the genuine study --------------------------------------------------------
genuine=${STUDY:-../shared/data/cdiscpilot01}
if [ -d "$genuine" ]; then
	check "the genuine study is stored to the last row" import 0 "$genuine"
	check "all of it is new" sum "103607 103607 0 0 0"
	check "and is so again" import 0 "$genuine"
	check "without a change" sum "103607 0 0 103607 0"
else
	echo "skipped: no genuine study at $genuine"
	skipped=$((skipped + 4))
fi

stop "$patient_pid" TERM
check "patient-svc stops in order" said "$tmp/patient.log" "draining"
patient_pid=''
stop "$report_pid" TERM
report_pid=''

end_cases
