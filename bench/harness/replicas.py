# SPDX-License-Identifier: Apache-2.0
"""What three report-svc do of what one does, when handlers only wait."""

import os
from contextlib import ExitStack

from harness import procs, services
from harness.stats import Spread, ratios

SLEEP_US = 5000
WORKERS = 8
# Enough for every worker of three to be busy and a few calls to wait for each.
OUTSTANDING = {1: 12, 3: 36}


def _measure(bench, urls):
    argv = [bench.program("service-client"), "echo", "--sleep-us", str(SLEEP_US),
            "--url", ",".join(urls), "--outstanding", str(OUTSTANDING[len(urls)]),
            "--warmup-ms", str(bench.warmup_ms), "--duration-ms", str(bench.duration_ms), "--json"]
    said = procs.run_client(argv, procs.cores(), 60)
    return said["ok_per_s"]


def run(bench):
    rounds = {1: [], 3: []}
    with ExitStack() as stack:
        urls = []
        for i in range(3):
            folder = f"{bench.tmp}/replica-{i}"
            os.makedirs(folder)
            urls.append(stack.enter_context(services.report(
                bench, folder, procs.cores(), f"replica-{i}",
                **{"probe.enabled": "true", "server.workers": WORKERS})).url)
        for _ in range(bench.rounds):
            for n, got in rounds.items():
                got.append(_measure(bench, urls[:n]))
    one, three = (Spread(rounds[n]).mid for n in (1, 3))
    bench.say(f"replicas: 1 {one:,.0f}/s, 3 {three:,.0f}/s")
    return {"rounds": ratios(rounds[3], rounds[1]).values, "calls_per_s": rounds,
            "ours": f"{three:,.0f}/s with 3", "theirs": f"{one:,.0f}/s with 1"}
