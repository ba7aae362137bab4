# SPDX-License-Identifier: Apache-2.0
"""Echo calls between one client and one server: us and the rivals, round after round."""

from harness import procs
from harness.stats import Spread

OURS, GRPC, STREAM = "ours", "grpc", "nng_stream"
GRPC_OWN = "grpc_own_threads"  # the same without a hand-over to a worker
DRIVERS = [OURS, GRPC, GRPC_OWN, "nng_reqrep", STREAM, "epoll"]
PROGRAMS = {GRPC_OWN: "grpc"}  # where they are not called as the driver
WORKERS = {GRPC_OWN: 0}  # else 2
TIMEOUT_MS = 5000  # of a call; set by those who know deadlines


def cell(load, drivers=DRIVERS, transport="tcp", payload=128, connections=1, rounds=None):
    """One thing to measure: load is {"outstanding": n} or {"rate": calls a second}."""
    return {"load": load, "drivers": list(drivers), "transport": transport, "payload": payload,
            "connections": connections, "rounds": rounds}


def quick_cells():
    return [cell({"outstanding": 64}, [OURS, GRPC, GRPC_OWN, STREAM]),
            cell({"outstanding": 256}, [OURS, GRPC, GRPC_OWN]),
            cell({"outstanding": 1}, [OURS, GRPC, GRPC_OWN])]


def whole_cells():
    cells = [cell({"outstanding": n}) for n in (1, 8, 64, 256, 1024)]
    cells += [cell({"outstanding": 64}, payload=n, rounds=3) for n in (16, 1024, 32768)]
    cells += [cell({"outstanding": n}, transport="ipc", rounds=3) for n in (1, 64)]
    cells += [cell({"outstanding": n}, connections=4, rounds=3) for n in (64, 256)]
    return cells


def measure(bench, driver, c, load):
    """One client against one fresh server."""
    url = procs.free_url(c["transport"], bench.tmp)
    server_on, client_on = bench.placement
    program = PROGRAMS.get(driver, driver)
    argv = [bench.program(f"{program}-client"), "--url", url, "--json",
            "--duration-ms", str(bench.duration_ms), "--warmup-ms", str(bench.warmup_ms),
            "--payload", str(c["payload"]), "--connections", str(c["connections"]),
            "--timeout-ms", str(TIMEOUT_MS)]
    for name, value in load.items():
        argv += [f"--{name}", f"{value:.0f}"]
    with procs.Server([bench.program(f"{program}-server"), "--listen", url, "--workers",
                       str(WORKERS.get(driver, 2))], server_on,
                      f"{bench.tmp}/server.log") as server:
        said = procs.run_client(argv + ["--server-pid", str(server.pid)], client_on,
                                60 + bench.duration_ms / 1000)
    return kept(said)


def kept(said):
    """What of a client's JSON goes into the results."""
    us = {name: value / 1000 for name, value in said["latency_ns"].items() if name != "count"}
    calls = max(said["calls"], 1)
    return {"calls_per_s": said["ok_per_s"], "latency_us": us,
            "failed": said["calls"] - said["ok"] + said["missed"] + said["lost"],
            "server_cpu_us": said["server"]["cpu_ns"] / calls / 1000,
            "server_rss_kib": said["server"]["rss_kib"],
            "client_cpu_us": said["cpu_ns"] / calls / 1000}


def run_cell(bench, c):
    rounds = {driver: [] for driver in c["drivers"]}
    count = min(c["rounds"] or bench.rounds, bench.rounds)
    for _ in range(count):
        for driver in c["drivers"]:
            rounds[driver].append(measure(bench, driver, c, c["load"]))
    bench.say(describe(c) + ": " + ", ".join(
        f"{d} {Spread(r['calls_per_s'] for r in rounds[d]).mid:,.0f}/s" for d in c["drivers"]))
    return {**{k: c[k] for k in ("load", "transport", "payload", "connections")},
            "rounds": rounds}


def describe(c):
    load = ", ".join(f"{v:,.0f} {k}" for k, v in c["load"].items())
    return f"{c['transport']}, {c['payload']} B, {c['connections']} conn, {load}"


def run_tail(bench):
    """Our latency at the rate that gRPC reaches at its best, beside its own there. gRPC is
    measured as is kind to it, with 64 calls outstanding: an open loop at its limit would
    only show how long its queue has become."""
    c = cell({"outstanding": 64})
    rounds = {OURS: [], GRPC: []}
    for _ in range(bench.rounds):
        theirs = measure(bench, GRPC, c, c["load"])
        rounds[GRPC].append(theirs)
        rounds[OURS].append(measure(bench, OURS, c, {"rate": theirs["calls_per_s"]}))
    bench.say("open loop at gRPC's rate: p99 " + ", ".join(
        f"{d} {Spread(r['latency_us']['p99'] for r in rounds[d]).mid:,.0f} us" for d in rounds))
    return {"rounds": rounds}


def run_sweep(bench, cells):
    """Latency in open loop at shares of what each reaches in closed loop with 64 calls."""
    points = []
    for driver in (OURS, GRPC):
        peak = Spread(r["calls_per_s"] for r in rounds_of(cells, driver, outstanding=64)).mid
        for share in (0.1, 0.25, 0.5, 0.75, 0.9):
            c = cell({"rate": share * peak}, [driver], rounds=3)
            points.append({"share": share, **run_cell(bench, c)})
    return points


def rounds_of(cells, driver, outstanding, transport="tcp", payload=128, connections=1):
    """The rounds of a cell of the results; [] when it was not measured."""
    for c in cells or []:
        if (c["load"] == {"outstanding": outstanding} and c["transport"] == transport and
                c["payload"] == payload and c["connections"] == connections):
            return c["rounds"].get(driver, [])
    return []


def run(bench):
    cells = [run_cell(bench, c) for c in (quick_cells() if bench.quick else whole_cells())]
    result = {"cells": cells, "tail": run_tail(bench)}
    if not bench.quick:
        result["sweep"] = run_sweep(bench, cells)
    return result
