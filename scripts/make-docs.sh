#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints docs/configuration.md: every setting, from the tables of the services.
#   scripts/make-docs.sh [BUILD_DIR] >docs/configuration.md      `make docs` does that
set -eu
cd "$(dirname "$0")/.."

bin=${1:-build}/bin

cat <<'END'
# Configuration

*Written by `make docs` from the services' own tables; a test fails when it is out of date.*

Each service takes its settings from a table in its code. The table alone knows what settings there are:
it checks the file, prints this page, and prints a complete file with every meaning, range and default:

    build/bin/report-svc -c configs/report-svc.cfg                  # run with a file
    build/bin/report-svc -c configs/report-svc.cfg -s server.workers=16 -s log.format=json
    build/bin/report-svc -c configs/report-svc.cfg --check-config   # only look at the file
    build/bin/report-svc -c configs/report-svc.cfg --print-config   # every setting, as a file

- A file is [libconfig](https://hyperrealm.github.io/libconfig/)'s format, without `@include`. What it
  leaves out has its default. [`configs/`](../configs) has a complete file for each service.
- `-s PATH=VALUE` wins over the file and may be repeated. Values of a list are joined by commas:
  `-s peers.report.urls=tcp://10.0.0.5:7002,tcp://10.0.0.6:7002`.
- Nothing is guessed. An unknown name, a wrong type or a value out of range stops the start, and the
  message says where and what would be right:

END
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT
printf 'server = { wrokers = 4; drain_ms = 900000; };\nstore = { path = "build/run/report.db"; };\n' >"$wrong"
{
	echo '$ cat wrong.cfg'
	cat "$wrong"
	echo '$ build/bin/report-svc -c wrong.cfg --check-config'
	"$bin/report-svc" -c "$wrong" --check-config 2>&1 | sed "s|$wrong|wrong.cfg|" || :
} | sed 's/^/      /'
cat <<'END'

Two things no table can say: patient-svc needs a peer named `report` (`peers.report.urls`), and a service
that calls others names them all under `peers`.

Names end in their unit: `_ms` milliseconds, `_us` microseconds, `_bytes`, `_kib`. Settings are read at the
start; a changed file takes effect at the next one. What the settings of deadlines and load do is told in
[deadlines.md](deadlines.md) and [overload.md](overload.md).
END
for service in patient-svc report-svc; do
	printf '\n## %s\n\n' "$service"
	"$bin/$service" --print-docs
done | cat -s | sed '${/^$/d}'
