#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmark and reports it. `make bench` and `make bench-quick` build first."""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report  # noqa: E402
from harness import allocations, calls, growth, machine, overload, procs, replicas, stops  # noqa: E402
from harness.goals import LINES  # noqa: E402

# In this order. A suite is a module of harness whose run(bench) returns what goals.py and the
# sections of report.py find under its name in the results.
SUITES = {"calls": calls.run, "allocations": allocations.run, "growth": growth.run,
          "replicas": replicas.run, "stops": stops.run,
          "overload": overload.run}

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Bench:
    """What the suites need to know."""

    def __init__(self, args, tmp):
        self.build, self.tmp, self.quick = args.build, tmp, args.quick
        self.placement = procs.PLACEMENTS[args.placement]()
        self.rounds = args.rounds or (3 if args.quick else 5)
        self.duration_ms = 1000 if args.quick else 2000
        self.warmup_ms = 300 if args.quick else 500
        self.begun = time.monotonic()

    def program(self, name, folder="bench"):
        return os.path.join(self.build, folder, name)

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:5.0f} s] {text}", flush=True)


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build", help="where the programs are (build)")
    p.add_argument("--quick", action="store_true", help="the lines with a goal, shorter rounds")
    p.add_argument("--only", action="append", metavar="LINE", choices=[x.name for x in LINES],
                   help="measure what this line needs; changes no document (see --list)")
    p.add_argument("--rounds", type=int, help="rounds of each measurement (5; quick: 3)")
    p.add_argument("--placement", choices=sorted(procs.PLACEMENTS), default="split",
                   help="cores of server and client (split: one each)")
    p.add_argument("--results", help="the JSON to write (bench/results/<date>.json)")
    p.add_argument("--resume", metavar="JSON", help="measure what this run could not, and add it")
    p.add_argument("--list", action="store_true", help="list the lines")
    return p.parse_args()


def begun(args, bench):
    """The results of a run that has measured nothing yet."""
    made = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return {"format": 1, "made": made.isoformat(), "quick": args.quick,
            "placement": args.placement, "rounds": bench.rounds,
            "duration_ms": bench.duration_ms, "source": machine.source(),
            "machine": machine.describe(), "suites": {}, "failed": {}, "seconds": 0}


def resumed(args):
    """Those of a run that could not measure everything, whose settings go on to hold."""
    with open(args.resume, encoding="utf-8") as f:
        results = json.load(f)
    args.quick, args.placement = results["quick"], results["placement"]
    args.rounds = results["rounds"]
    results["failed"] = {}
    return {**results, "resumed": True}


def run(args, tmp):
    results = resumed(args) if args.resume else None
    bench = Bench(args, tmp)
    results = results or begun(args, bench)
    others = machine.Others()
    wanted = {x.suite for x in LINES if not args.only or x.name in args.only}
    for name, suite in SUITES.items():
        if name not in wanted or name in results["suites"]:
            continue
        try:
            results["suites"][name] = suite(bench)
        except procs.Failed as why:  # the others are worth having all the same
            bench.say(f"{name} failed: {why}")
            results["failed"][name] = str(why)
    results["machine"]["others_percent"] = max(others.percent(),
                                               results["machine"].get("others_percent", 0))
    results["seconds"] += round(time.monotonic() - bench.begun)
    return results


def main():
    args = arguments()
    os.chdir(ROOT)
    if args.list:
        for x in LINES:
            print(f"{x.name:18} {x.text}: {report.goal_text(x)}")
        return 0
    with tempfile.TemporaryDirectory() as tmp:
        results = run(args, tmp)
    stamp = results["made"].replace("+00:00", "Z").replace(":", "")
    path = args.results or args.resume or f"bench/results/{stamp}.json"
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    print(f"\n{report.goals_text(results)}\n{path}")
    if results["failed"]:
        return 1
    if not args.only:
        report.write(results, "docs")
        print("docs/benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
