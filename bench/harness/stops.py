# SPDX-License-Identifier: Apache-2.0
"""Cancels and deadlines: how soon work stops that nobody wants, how late a caller is, and how
much of the workers' time is wasted. bench/ours/stops.c measures; each round is a run of it."""

from harness import procs
from harness.stats import Figure, Spread

ROUNDS = 3
STUCK_MS = 2000.0  # a handler that was not seen to end went on for so long
RUN_S = 600


def run(bench):
    argv = [bench.program("ours-stops")] + (["--quick"] if bench.quick else [])
    rounds = []
    for _ in range(1 if bench.quick else ROUNDS):
        said = procs.run_client(argv, procs.cores(), RUN_S)
        if not said["complete"]:
            raise procs.Failed(f"{argv[0]} did not measure everything")
        rounds.append(kept(said))
    result = {"rounds": rounds}
    bench.say("cancels and deadlines: 1 hop idle p99 "
              f"{stop_ms(rounds[0], 1, 'idle'):.2f} ms, wasted at 10x "
              f"{waste_percent(rounds[0], 10, True):.2f} %")
    return result


def kept(said):
    """What of a run goes into the results: times in ms."""
    def ms(times):
        return {k: v if k == "count" else v / 1e6 for k, v in times.items()}
    return {
        "stop": [{**{k: x[k] for k in ("hops", "load", "work", "stuck", "refused")},
                  "ms": ms(x["stop_ns"])} for x in said["cancel_to_stop"]],
        "late": [{**{k: x[k] for k in ("load", "early", "other")}, "ms": ms(x["late_ns"])}
                 for x in said["caller_late"]],
        "waste": [{k: x[k] for k in ("work", "factor", "checks", "rate", "runs", "useless",
                                     "wasted_share", "ok_per_s")} for x in said["wasted_work"]],
    }


# ---- one figure of a round; the worst of the kinds of work ----------------------------------

def stop_ms(r, hops, load):
    return max(STUCK_MS if x["stuck"] else x["ms"]["p99"]
               for x in r["stop"] if x["hops"] == hops and x["load"] == load)


def late_ms(r):
    return max(x["ms"]["p99"] for x in r["late"])


def early(r):
    return sum(x["early"] for x in r["late"])


def waste_percent(r, factor, checks):
    return max(100 * x["wasted_share"]
               for x in r["waste"] if x["factor"] == factor and x["checks"] == checks)


# ---- lines ------------------------------------------------------------------------------------

def figure(pick, beside=None):
    """For a line: pick(round) is its value, beside(round) what stands beside it."""
    def of(results):
        suite = results["suites"].get("stops")
        if not suite:
            return None
        return Figure(Spread(pick(r) for r in suite["rounds"]), "",
                      beside(suite["rounds"]) if beside else "")
    return of


def unchecked(factor):
    def text(rounds):
        return f"{Spread(waste_percent(r, factor, False) for r in rounds).mid:.1f} % without checks"
    return text
