#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs report-svc and patient-svc with the settings in configs/ until Ctrl-C, and
# then drains both. Their databases and logs are in build/run.
#   scripts/run-local.sh [BUILD_DIR]     `make run` builds first
#   REPORT_PORT (7002), PATIENT_PORT (7001): where they listen; a free port when taken
set -u
cd "$(dirname "$0")/.." || exit 2

pair_bin=${1:-build}/bin
pair_dir=build/run
. scripts/pair.sh

pair_url=
mkdir -p "$pair_dir" || exit 2
status=0
trap 'pair_stop || status=1; exit $status' EXIT
trap 'exit 0' INT TERM
pair_start report-svc -c configs/report-svc.cfg -s probe.enabled=true \
	-s "server.listen=$(pair_listen "${REPORT_PORT:-7002}")" || { status=1; exit; }
report=$pair_url
echo "report-svc   $report   log: $pair_dir/report-svc.log"
pair_start patient-svc -c configs/patient-svc.cfg -s probe.enabled=true \
	-s "server.listen=$(pair_listen "${PATIENT_PORT:-7001}")" \
	-s "peers.report.urls=$report" || { status=1; exit; }
echo "patient-svc  $pair_url   log: $pair_dir/patient-svc.log"
cat <<-END

	In another terminal:
	  $pair_bin/study-gen build/run/study
	  $pair_bin/sdtm-import build/run/study --patient $pair_url --report $report
	  $pair_bin/patient-view -a $pair_url SYN01-101-0001
	  $pair_bin/rpcctl -a $pair_url list

	Ctrl-C stops both.
END
wait -n
echo "one of them ended; its log says why" >&2
status=1
