# SPDX-License-Identifier: Apache-2.0
"""How often our two sides call malloc for one call, once everything is warm. Both programs
count for themselves, over the client's window."""

import json

from harness import procs
from harness.stats import Spread

OUTSTANDING = 64
# Whoever unpacks a message may need memory for it; the way of header and meta may not.
MESSAGES = "protobuf_c"


def _counts(mallocs, calls):
    """Of one side, for each call: all, and those of the header path."""
    allocs = {who: of["allocs"] for who, of in mallocs.items() if isinstance(of, dict)}
    every = sum(allocs.values())
    return every / calls, (every - allocs[MESSAGES]) / calls


def _measure(bench):
    url = procs.free_url("tcp", bench.tmp)
    log = f"{bench.tmp}/server.log"
    with procs.Server([bench.program("ours-server"), "--listen", url, "--workers", "2"],
                      bench.placement[0], log) as server:
        client = procs.run_client(
            [bench.program("ours-client"), "--url", url, "--json", "--mark",
             "--server-pid", str(server.pid), "--outstanding", str(OUTSTANDING),
             "--warmup-ms", str(bench.warmup_ms), "--duration-ms", str(bench.duration_ms)],
            bench.placement[1], 60)
    with open(log, encoding="utf-8") as f:
        at_server = json.loads(f.read().splitlines()[-1])
    return [_counts(side["mallocs"], side["calls"]) for side in (client, at_server)]


def run(bench):
    rounds = [_measure(bench) for _ in range(bench.rounds)]
    result = {
        "all": {"rounds": [sum(side[0] for side in sides) for sides in rounds]},
        "header": {"rounds": [sum(side[1] for side in sides) for sides in rounds]},
    }
    for kind in result.values():
        kind["ours"] = f"{Spread(kind['rounds']).mid:.4f} a call"
    bench.say(f"malloc calls: {result['all']['ours']}")
    return result
