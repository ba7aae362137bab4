#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs report-svc and patient-svc with the settings in configs/ until Ctrl-C, and
# then drains both. Their logs are in build/run.
#   scripts/run-local.sh [BUILD_DIR]     `make run` builds first
#   PATIENT=URL REPORT=URL               where they listen, instead of what configs/ says
set -u
cd "$(dirname "$0")/.." || exit 2

pair_bin=${1:-build}/bin
pair_dir=build/run
. scripts/pair.sh

mkdir -p "$pair_dir" || exit 2
trap 'pair_stop' EXIT
trap 'exit 0' INT TERM
pair_start report-svc configs/report-svc.cfg ${REPORT:+-s server.listen="$REPORT"} || exit 1
echo "report-svc   $pair_url   log: $pair_dir/report-svc.log"
pair_start patient-svc configs/patient-svc.cfg -s peers.report.urls="$pair_url" \
	${PATIENT:+-s server.listen="$PATIENT"} || exit 1
echo "patient-svc  $pair_url   log: $pair_dir/patient-svc.log"
echo
echo "try: build/bin/rpcctl -a $pair_url list"
echo "Ctrl-C stops both."
wait -n
echo "one of them ended; its log says why"
exit 1
