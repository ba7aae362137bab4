# SPDX-License-Identifier: Apache-2.0
"""The lines that have a goal: what each compares, and what came of it."""

from dataclasses import dataclass
from typing import Callable, Optional

from harness import calls, overload, stops
from harness.stats import Figure, Spread, ratios

OURS, GRPC, GRPC_OWN, STREAM = calls.OURS, calls.GRPC, calls.GRPC_OWN, calls.STREAM


@dataclass
class Line:
    name: str  # for --only
    suite: str  # what measures it
    text: str
    better: str  # "<=" or ">="
    goal: float
    figure: Callable[[dict], Optional[Figure]]
    unit: str = ""  # none: a ratio or a count
    shown: str = ""  # the goal in words, where a number would mislead

    def met(self, figure):
        value = figure.value.mid
        return value >= self.goal if self.better == ">=" else value <= self.goal


# ---- what the figures are made of ---------------------------------------------------------

def _against(rival, outstanding, pick, show):
    """A figure of ours over the same of a rival, at so many calls outstanding."""
    def figure(results):
        cells = results["suites"].get("calls", {}).get("cells")
        ours = [pick(r) for r in calls.rounds_of(cells, OURS, outstanding)]
        theirs = [pick(r) for r in calls.rounds_of(cells, rival, outstanding)]
        if not ours or not theirs:
            return None
        return Figure(ratios(ours, theirs), show(Spread(ours).mid), show(Spread(theirs).mid))
    return figure


def _rate(r):
    return r["calls_per_s"]


def _tail(results):
    tail = results["suites"].get("calls", {}).get("tail")
    if not tail:
        return None
    ours, theirs = ([r["latency_us"]["p99"] for r in tail["rounds"][d]] for d in (OURS, GRPC))
    return Figure(ratios(ours, theirs), us(Spread(ours).mid), us(Spread(theirs).mid))


def _own(suite, *path):
    """Values that a suite measured of ours alone: {"rounds": [...]}."""
    def figure(results):
        found = results["suites"].get(suite)
        for key in path:
            found = found.get(key) if found else None
        if not found:
            return None
        return Figure(Spread(found["rounds"]), found.get("ours", ""), found.get("theirs", ""))
    return figure


def per_s(value):
    return f"{value:,.0f}/s"


def us(value):
    return f"{value:,.0f} µs" if value >= 10 else f"{value:.1f} µs"


def mib(kib):
    return f"{kib / 1024:.1f} MiB"


LINES = [
    Line("rate-64", "calls", "calls/s at 64 outstanding ÷ gRPC C++", ">=", 10,
         _against(GRPC, 64, _rate, per_s)),
    Line("rate-256", "calls", "calls/s at 256 outstanding ÷ gRPC C++", ">=", 20,
         _against(GRPC, 256, _rate, per_s)),
    Line("latency-1", "calls", "p50 latency at 1 outstanding ÷ gRPC C++", "<=", 0.55,
         _against(GRPC, 1, lambda r: r["latency_us"]["p50"], us)),
    Line("tail-64", "calls", "p99 latency, open loop at gRPC's peak rate ÷ gRPC's p99 at "
         "64 outstanding", "<=", 0.2, _tail),
    Line("rate-64-stream", "calls", "calls/s at 64 outstanding ÷ bare nng_stream echo", ">=", 0.5,
         _against(STREAM, 64, _rate, per_s)),
    Line("cpu", "calls", "server CPU per call at 64 outstanding ÷ gRPC C++", "<=", 0.15,
         _against(GRPC, 64, lambda r: r["server_cpu_us"], us)),
    Line("rss", "calls", "server RSS with 256 outstanding ÷ gRPC C++", "<=", 0.4,
         _against(GRPC, 256, lambda r: r["server_rss_kib"], mib)),
    # A thousandth: what else happens in a run must not look like a part of each call.
    Line("allocations-header", "allocations", "malloc calls per call on the header path, both "
         "sides", "<=", 0.001, _own("allocations", "header"), shown="0"),
    Line("allocations", "allocations", "malloc calls per call in all, both sides", "<=", 1,
         _own("allocations", "all")),
    Line("growth", "growth", "cost of GetPatientDetail as the database grows 1× → 100×", "<=",
         1.3, _own("growth")),
    Line("replicas", "replicas", "throughput with 3 report-svc replicas ÷ 1, handlers that wait "
         "5 ms, pool of 8", ">=", 2.7, _own("replicas")),
    Line("stop-1-idle", "stops", "p99 from cancel to stopped handler, one hop, idle", "<=", 1,
         stops.figure(lambda r: stops.stop_ms(r, 1, "idle")), unit=" ms"),
    Line("stop-2-idle", "stops", "the same, two hops", "<=", 2,
         stops.figure(lambda r: stops.stop_ms(r, 2, "idle")), unit=" ms"),
    Line("stop-1-loaded", "stops", "one hop, at twice what the servers can do", "<=", 3,
         stops.figure(lambda r: stops.stop_ms(r, 1, "2x")), unit=" ms"),
    Line("stop-2-loaded", "stops", "the same, two hops", "<=", 6,
         stops.figure(lambda r: stops.stop_ms(r, 2, "2x")), unit=" ms"),
    Line("late", "stops", "p99 of how late a caller returns after its deadline", "<=", 1,
         stops.figure(stops.late_ms), unit=" ms"),
    Line("early", "stops", "callers that return before their deadline", "<=", 0,
         stops.figure(stops.early)),
    Line("waste-2", "stops", "workers' time spent after the caller gave up, at twice capacity",
         "<=", 1, stops.figure(lambda r: stops.waste_percent(r, 2, True), stops.unchecked(2)),
         unit=" %"),
    Line("waste-10", "stops", "the same at ten times capacity", "<=", 2,
         stops.figure(lambda r: stops.waste_percent(r, 10, True), stops.unchecked(10)),
         unit=" %"),
    Line("goodput-2-waits", "overload", "goodput at twice capacity ÷ peak, handlers that wait",
         ">=", 0.97, overload.goodput("waits", 2)),
    Line("goodput-2-spins", "overload", "the same, handlers that compute", ">=", 0.9,
         overload.goodput("spins", 2)),
    Line("goodput-10-waits", "overload", "goodput at ten times capacity ÷ peak, handlers that "
         "wait", ">=", 0.92, overload.goodput("waits", 10)),
    Line("goodput-10-spins", "overload", "the same, handlers that compute", ">=", 0.75,
         overload.goodput("spins", 10)),
    Line("goodput-10-throttled", "overload", "the same, callers that throttle, the worse of a core "
         "each and shared cores", ">=", 0.9, overload.throttled(10)),
    Line("settle-1.4", "overload", "until goodput is steady after a step from 0.7 to 1.4 times "
         "capacity", "<=", 100, overload.over_time("settle_1.4_ms"), unit=" ms"),
    Line("settle-10", "overload", "the same, to ten times", "<=", 100,
         overload.over_time("settle_10_ms"), unit=" ms"),
    Line("recovery", "overload", "until 95 % of normal after a second of ten times capacity, "
         "retries and throttling on", "<=", 1000, overload.over_time("recovery_ms"), unit=" ms"),
    Line("long-calls", "overload", "p99 of the other calls when one in a hundred takes 50 times "
         "longer: moves by", "<=", 10, overload.over_time("long_percent"), unit=" %"),
    Line("hang", "overload", "goodput of another method lost while one hangs", "<=", 5,
         overload.over_time("hang_percent"), unit=" %"),
    Line("refused-wrongly", "overload", "of the calls refused for lack of time at twice capacity: "
         "there was time, and nobody had the turn", "<=", 2, overload.limiter("unused", "looked_at"),
         unit=" %"),
    Line("admitted-wrongly", "overload", "of the calls admitted at twice capacity: not in time",
         "<=", 2, overload.limiter("missed", "admitted"), unit=" %"),
]

# The first lines beside gRPC without a hand-over to a worker, which is less work than ours.
NO_WORKER = [("calls/s at 64 outstanding", _against(GRPC_OWN, 64, _rate, per_s)),
             ("calls/s at 256 outstanding", _against(GRPC_OWN, 256, _rate, per_s)),
             ("p50 latency at 1 outstanding",
              _against(GRPC_OWN, 1, lambda r: r["latency_us"]["p50"], us))]
