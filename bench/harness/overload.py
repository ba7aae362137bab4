# SPDX-License-Identifier: Apache-2.0
"""More calls than a server can do: what it still answers in time, in open loop from half to ten
times its capacity, and how it takes steps, pulses, long calls and a method that hangs.
bench/ours/goodput.c makes the load; each point is a fresh server and a fresh client. For
handlers that compute it is made by callers that throttle, too, and where server and callers
share both cores: there the server pays for each refusal, and so do its handlers."""

import json

from harness import procs
from harness.stats import Figure, Spread

OURS, GRPC = "ours", "grpc"
# What handlers do, and on how many workers.
WORKS = {"waits": {"flag": "--wait-us", "us": 5000, "workers": 8},
         "spins": {"flag": "--spin-us", "us": 1000, "workers": 2}}
PATIENCE = (10, 50)  # deadlines, in times of a handler
FACTORS = (0.5, 0.8, 1, 1.5, 2, 5, 10)
QUICK_FACTORS = (1, 2, 10)
THROTTLED_FACTORS = (2, 5, 10)
TOGETHER_US = 500  # where the cores are shared: the generator's sleep for each call costs as much
QUEUE = 4096  # longer than any call would wait
MANY = {"flag": "--wait-us", "us": 5000, "workers": 32}  # for what is told by the bin
BIN_MS = 10  # as in goodput.c
HANG_MS, HANG_PER_S = 2000, 200


# ---- one server, one client ---------------------------------------------------------------------

def counted(log):
    """What our server printed at its end."""
    with open(log, encoding="utf-8") as f:
        return json.loads([line for line in f if line.startswith("{")][-1])


def ours(bench, work, load, server_flags=(), shared=False):
    url = procs.free_url("tcp", bench.tmp)
    server_on, client_on = procs.PLACEMENTS["shared"]() if shared else bench.placement
    log = f"{bench.tmp}/server.log"
    with procs.Server([bench.program("ours-server"), "--listen", url, "--queue", str(QUEUE),
                       "--workers", str(work["workers"]), *server_flags], server_on, log):
        said = procs.run_client([bench.program("ours-goodput"), "--url", url, work["flag"],
                                 str(work["us"]), *(str(x) for x in load)], client_on, 120)
    return said, counted(log)


def grpc(bench, work, load):
    """The same work, and a pool with a queue as bounded as ours is by default."""
    url = procs.free_url("tcp", bench.tmp)
    server_on, client_on = bench.placement
    with procs.Server([bench.program("grpc-server"), "--listen", url, "--workers",
                       str(work["workers"]), work["flag"], str(work["us"])], server_on,
                      f"{bench.tmp}/server.log"):
        return procs.run_client([bench.program("grpc-client"), "--url", url, "--json",
                                 *(str(x) for x in load)], client_on, 120, none_ok=True)


def window(bench):
    return ("--duration-ms", bench.duration_ms, "--warmup-ms", bench.warmup_ms)


def capacity(bench, work, driver=OURS, shared=False):
    load = ("--outstanding", 2 * work["workers"], "--timeout-ms", 10000, *window(bench))
    if driver == GRPC:
        return grpc(bench, work, load)["ok_per_s"]
    return ours(bench, work, load, shared=shared)[0]["ok_per_s"]


# ---- curves ---------------------------------------------------------------------------------------

def point(bench, driver, work, rate, timeout_ms, shared=False, throttle=False):
    # What is due counts, so the line is to be as long as it gets before the window opens.
    warmup_ms = max(bench.warmup_ms, 4 * timeout_ms)
    load = ("--rate", f"{rate:.1f}", "--timeout-ms", timeout_ms, "--duration-ms",
            bench.duration_ms, "--warmup-ms", warmup_ms)
    if driver == GRPC:
        return {"ok_per_s": grpc(bench, work, load)["ok_per_s"]}
    if shared:
        load += ("--together-us", TOGETHER_US)
    if throttle:
        load += ("--throttle",)
    said, server = ours(bench, work, load, shared=shared)
    why = server["refused_by"]
    admitted = server["calls"] - server["refused"] + why["hopeless"]
    return {"ok_per_s": said["ok_per_s"], "p99_ms": said["latency_ns"]["p99"] / 1e6,
            "late": said["by_status"].get("DEADLINE_EXCEEDED", 0), "admitted": admitted,
            "missed": admitted - server["ok"], "refused": why["infeasible"],
            "looked_at": server["looked_at"], "in_time": server["in_time"],
            "unused": server["unused"], "throttled": said["throttled"]}


def curve(bench, driver, name, times, rounds, factors, throttled=(), shared=False):
    """factors without the callers' throttling, throttled with it."""
    work = WORKS[name]
    timeout_ms = work["us"] * times // 1000
    out = {"driver": driver, "work": name, "times": times, "shared": shared, "rounds": []}
    for _ in range(rounds):
        most = capacity(bench, work, driver, shared)
        out["rounds"].append({"capacity": most, **{
            part: [{"factor": f, **point(bench, driver, work, f * most, timeout_ms, shared,
                                         part == "throttled")} for f in fs]
            for part, fs in (("points", factors), ("throttled", throttled))}})
    bench.say(f"{driver} {name}, deadline {times} times{', shared cores' if shared else ''}: " +
              ", ".join(f"{f:g} x {share(out, f, part).mid:.3f}{' throttled' * (part != 'points')}"
                        for part, fs in (("points", factors), ("throttled", throttled))
                        for f in fs))
    return out


def factors_of(c, part="points"):
    return [p["factor"] for p in c["rounds"][0].get(part, [])]


def share(c, factor, part="points"):
    """Goodput at so many times the capacity, of the round's best."""
    def of(r):
        best = max(p["ok_per_s"] for p in r["points"])
        return next(p["ok_per_s"] for p in r[part] if p["factor"] == factor) / best
    return Spread(of(r) for r in c["rounds"])


# ---- over time ------------------------------------------------------------------------------------

def first_settled(rates, steady, share_of=0.95):
    """The first bin from which 50 ms on average, and every 50 ms of the next 200, have it."""
    def mean(i):
        return sum(rates[i:i + 5]) / 5
    for i in range(len(rates) - 25):
        if mean(i) >= share_of * steady and all(
                mean(k) >= (share_of - 0.1) * steady for k in range(i, i + 20)):
            return i * BIN_MS
    return len(rates) * BIN_MS


def step(bench, most, factor):
    """From 0.7 times the capacity to so many; ms until goodput is what it stays at."""
    load = ("--rate", f"{0.7 * most:.1f}", "--timeout-ms", 50, "--warmup-ms", 0,
            "--duration-ms", 2500, "--more-rate", f"{(factor - 0.7) * most:.1f}",
            "--more-from-ms", 1000, "--more-ms", 1500)
    ends = [b[2] for b in ours(bench, MANY, load)[0]["bins"]]
    return first_settled(ends[100:], sum(ends[150:245]) / 95)


def pulse(bench, most):
    """A second of ten times the capacity, with retries and throttling, as callers are that
    are services; ms until all is as it was."""
    load = ("--rate", f"{0.7 * most:.1f}", "--timeout-ms", 50, "--warmup-ms", 0,
            "--duration-ms", 4000, "--more-rate", f"{9.3 * most:.1f}", "--more-from-ms", 1000,
            "--more-ms", 1000, "--throttle")
    bins = ours(bench, MANY, load)[0]["bins"]
    before = sum(b[1] for b in bins[20:95]) / 75
    return first_settled([b[1] for b in bins[200:]], before)


def long_calls(bench, most):
    """One call in a hundred takes 50 times longer: % that the p99 of the others moves."""
    load = ("--rate", f"{0.3 * most:.1f}", "--timeout-ms", 1000, *window(bench))
    without = ours(bench, MANY, load)[0]["short_ns"]["p99"]
    beside = ours(bench, MANY, (*load, "--long-every", 100))[0]["short_ns"]["p99"]
    return 100 * (beside / without - 1)


def hang(bench, most):
    """Another method hangs, with a limit on the calls of a method: % of goodput lost."""
    limit = ("--method-calls", str(MANY["workers"] * 5 // 8))
    load = ("--rate", f"{0.25 * most:.1f}", "--timeout-ms", 50, "--warmup-ms", 500,
            "--duration-ms", 2000)
    without = ours(bench, MANY, load, limit)[0]["ok_per_s"]
    beside = ours(bench, MANY, (*load, "--more-rate", HANG_PER_S, "--hang-ms", HANG_MS,
                                "--more-ms", 2500), limit)[0]["ok_per_s"]
    return 100 * (1 - beside / without)


def run(bench):
    rounds = 1 if bench.quick else min(bench.rounds, 3)
    factors = QUICK_FACTORS if bench.quick else FACTORS
    patience = PATIENCE[:1] if bench.quick else PATIENCE
    throttled = THROTTLED_FACTORS[-1:] if bench.quick else THROTTLED_FACTORS

    def too(driver, name, times):  # where throttling is measured
        return throttled if (driver, name, times) == (OURS, "spins", PATIENCE[0]) else ()
    curves = [curve(bench, driver, name, times, rounds, factors, too(driver, name, times))
              for name in WORKS for times in patience
              for driver in ((OURS,) if bench.quick else (OURS, GRPC))]
    curves.append(curve(bench, OURS, "spins", PATIENCE[0], rounds,
                        QUICK_FACTORS[::2] if bench.quick else FACTORS, throttled, shared=True))
    most = capacity(bench, MANY)
    over_time = {"settle_1.4_ms": lambda: step(bench, most, 1.4),
                 "settle_10_ms": lambda: step(bench, most, 10),
                 "recovery_ms": lambda: pulse(bench, most),
                 "long_percent": lambda: long_calls(bench, most),
                 "hang_percent": lambda: hang(bench, most)}
    values = {name: [measure() for _ in range(rounds)] for name, measure in over_time.items()}
    bench.say("overload over time: " + ", ".join(
        f"{name} {Spread(v).mid:.1f}" for name, v in values.items()))
    return {"curves": curves, "over_time": values}


# ---- lines ----------------------------------------------------------------------------------------

def _curves(results, name=None, driver=OURS, shared=False):
    found = results["suites"].get("overload", {}).get("curves", [])
    return [c for c in found if c["driver"] == driver and name in (None, c["work"]) and
            c.get("shared", False) == shared]


def goodput(name, factor):
    """The worst of the deadlines; what gRPC does stands beside it."""
    def of(results):
        found, theirs = _curves(results, name), _curves(results, name, GRPC)
        if not found:
            return None
        worst = min((share(c, factor) for c in found), key=lambda s: s.mid)
        beside = min((share(c, factor).mid for c in theirs), default=None)
        return Figure(worst, "", "" if beside is None else f"gRPC {beside:.2f}")
    return of


def throttled(factor):
    """The worse of the placements; what it is without throttling stands beside it."""
    def of(results):
        found = [c for shared in (False, True) for c in _curves(results, "spins", OURS, shared)
                 if factor in factors_of(c, "throttled")]
        if not found:
            return None
        worst = min(found, key=lambda c: share(c, factor, "throttled").mid)
        return Figure(share(worst, factor, "throttled"),
                      "cores shared" if worst["shared"] else "a core each",
                      f"{share(worst, factor).mid:.2f} without")
    return of


def over_time(name):
    def of(results):
        values = results["suites"].get("overload", {}).get("over_time")
        return Figure(Spread(values[name]), "") if values else None
    return of


def limiter(part, whole):
    """% at twice the capacity, of handlers that wait; the worst of the deadlines."""
    def of_round(r):
        p = next(p for p in r["points"] if p["factor"] == 2)
        return 100 * p[part] / max(p[whole], 1)

    def of(results):
        found = _curves(results, "waits")
        if not found:
            return None
        return Figure(max((Spread(of_round(r) for r in c["rounds"]) for c in found),
                          key=lambda s: s.mid), "")
    return of
