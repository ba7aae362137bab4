# SPDX-License-Identifier: Apache-2.0
"""What GetPatientDetail costs in a small study and in one a hundred times as large, over all
their subjects, one call at a time."""

import csv
import gzip
import hashlib
import os
import shutil
import subprocess
from contextlib import ExitStack
from glob import glob

from harness import procs, services
from harness.stats import Spread, ratios

GROWTH = 100
SUBJECTS = 200  # of the small study; sdtm-import takes 4,000,000 rows of a table
SUBJECTS_QUICK = 20
# What decides how the databases look; a study made of the same is used again.
MADE_OF = ["tools/study-gen/*.[ch]", "tools/sdtm-import/*.[ch]", "clinic/store/*.c",
           "*-svc/store/*.c", "proto/clinic/v1/*.proto"]


def _stamp():
    digest = hashlib.sha256()
    for pattern in MADE_OF:
        for path in sorted(glob(pattern)):
            with open(path, "rb") as f:
                digest.update(f.read())
    return digest.hexdigest()[:12]


def _must(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise procs.Failed(f"{' '.join(argv)}: {done.stderr[-600:]}")


def _load(bench, folder, subjects):
    """A study of so many subjects, through the public calls, into the databases of folder."""
    on = procs.cores()
    study = f"{folder}/study"
    _must([bench.program("study-gen", "bin"), "--subjects", str(subjects), study])
    with services.report(bench, folder, on) as report, \
            services.patient(bench, folder, on, report.url) as patient:
        _must([bench.program("sdtm-import", "bin"), study, "--batch", "500", "--patient",
               patient.url, "--report", report.url])
    with gzip.open(f"{study}/dm.csv.gz", "rt", encoding="utf-8", newline="") as f, \
            open(f"{folder}/subjects", "w", encoding="utf-8") as out:
        out.writelines(row["USUBJID"] + "\n" for row in csv.DictReader(f))
    shutil.rmtree(study)


def _study(bench, subjects):
    """The folder of a loaded study, made when it is not there."""
    folder = bench.program(f"studies/{subjects}-{_stamp()}")
    if not os.path.exists(f"{folder}/subjects"):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        bench.say(f"loading a study of {subjects:,} subjects")
        _load(bench, folder, subjects)
    return folder


def _read_once(folder):
    """What a database costs is to be compared, not what a disk does."""
    for path in glob(f"{folder}/*.db"):
        with open(path, "rb") as f:
            while f.read(1 << 20):
                pass


def _measure(bench, folder, patient, report):
    on = bench.placement[1]
    argv = [bench.program("service-client"), "detail", "--subjects", f"{folder}/subjects",
            "--url", patient.url, "--outstanding", "1", "--warmup-ms", "0",
            "--duration-ms", str(bench.duration_ms), "--json"]
    before = patient.cpu_s() + report.cpu_s()
    said = procs.run_client(argv, on, 60 + bench.duration_ms / 1000)
    spent = patient.cpu_s() + report.cpu_s() - before
    if said["ok"] < said["calls"]:
        raise procs.Failed(f"GetPatientDetail: {said['by_status']}")
    return {"cpu_us": spent * 1e6 / said["calls"], "p50_us": said["latency_ns"]["p50"] / 1000}


def run(bench):
    small = SUBJECTS_QUICK if bench.quick else SUBJECTS
    sizes = [small, GROWTH * small]
    folders = [_study(bench, n) for n in sizes]
    sides = {n: [] for n in sizes}
    with ExitStack() as stack:
        pairs = []
        for folder, n in zip(folders, sizes):
            on = bench.placement[0]
            report = stack.enter_context(services.report(bench, folder, on, f"report-{n}"))
            patient = stack.enter_context(
                services.patient(bench, folder, on, report.url, f"patient-{n}"))
            pairs.append((n, folder, patient, report))
        for _, folder, patient, report in pairs:
            _read_once(folder)
            _measure(bench, folder, patient, report)  # what is slow the first time is over
        for _ in range(bench.rounds):
            for n, folder, patient, report in pairs:
                sides[n].append(_measure(bench, folder, patient, report))
    result = _result(sides, *sizes)
    bench.say(f"GetPatientDetail: {result['theirs']} -> {result['ours']}")
    return result


def _result(sides, small, large):
    """The cost is the processor time of both services; latency stands beside it."""
    def text(n):
        return (f"{Spread(r['cpu_us'] for r in sides[n]).mid:,.0f} µs CPU, p50 "
                f"{Spread(r['p50_us'] for r in sides[n]).mid:,.0f} µs with {n:,} subjects")
    return {"rounds": ratios([r["cpu_us"] for r in sides[large]],
                             [r["cpu_us"] for r in sides[small]]).values,
            "latency_rounds": ratios([r["p50_us"] for r in sides[large]],
                                     [r["p50_us"] for r in sides[small]]).values,
            "sizes": [small, large], "ours": text(large), "theirs": text(small),
            "sides": {str(n): rounds for n, rounds in sides.items()}}
