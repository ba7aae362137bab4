#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/benchmarks.md and its plots from the results of a run.

    bench/report.py RESULTS.json [DOCS_DIR]

The same results make the same bytes.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import calls, overload, plot  # noqa: E402
from harness.goals import LINES, NO_WORKER, mib, us  # noqa: E402
from harness.stats import Spread  # noqa: E402

NAMES = {"ours": "Cascade", "grpc": "gRPC C++", "grpc_own_threads": "gRPC, no worker",
         "nng_reqrep": "nng REQ/REP", "nng_stream": "bare nng_stream", "epoll": "bare epoll"}
IMAGES = "img"
NOISY_PERCENT = 3  # of the processors for others: the figures are no good


def table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in
            [head, ["---"] * len(head), *rows]] + [""]


# ---- goals ----------------------------------------------------------------------------------

def judged(results):
    """For each line: what it measured (None: it was not run) and the verdict."""
    for line in LINES:
        figure = line.figure(results)
        verdict = "not run" if figure is None else "met" if line.met(figure) else "missed"
        yield line, figure, verdict


def number(value):
    digits = 1 if value >= 10 else 2 if value >= 0.1 else 3 if value >= 0.0005 else 0
    return f"{value:,.{digits}f}"


def goal_text(line):
    return line.shown or f"{'≥' if line.better == '>=' else '≤'} {line.goal:g}{line.unit}"


def goals_text(results):
    """For a terminal."""
    rows = [["line", "goal", "result", "least .. most", "", "what"]]
    for line, figure, verdict in judged(results):
        spread = figure and figure.value
        rows.append([line.name, goal_text(line), number(spread.mid) + line.unit if spread else "-",
                     f"{number(spread.low)} .. {number(spread.high)}" if spread else "-",
                     verdict, line.text])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = ["  ".join([*(f"{cell:{w}}" for cell, w in zip(row, widths)), row[-1]])
             for row in rows]
    return "\n".join([*lines, others_text(results["machine"])])


def no_worker_text(results):
    """What becomes of the first lines when gRPC need not hand calls over to a worker."""
    found = [(text, figure(results)) for text, figure in NO_WORKER]
    said = [f"{text} {number(f.value.mid)} ({number(f.value.low)} – {number(f.value.high)})"
            for text, f in found if f is not None]
    return ["Beside gRPC whose handlers run on its own threads, without a worker: " +
            ", ".join(said) + ".", ""] if said else []


def goals_section(results):
    rows = []
    for line, figure, verdict in judged(results):
        spread = figure and figure.value
        rows.append([line.text, goal_text(line),
                     f"**{number(spread.mid)}{line.unit}** ({number(spread.low)} – "
                     f"{number(spread.high)})" if spread else "–",
                     figure.ours if figure else "–", figure.theirs if figure else "–", verdict])
    return ["## Goals", "",
            *table(["line", "goal", "median (least – most)", "ours", "beside it", "verdict"],
                   rows), *no_worker_text(results)]


# ---- how ------------------------------------------------------------------------------------

METHOD = """\
## How it is measured

- Machines differ and are noisy, so what counts is the ratio of two programs that took turns in
  one run: ours, rival, ours, rival … Each round starts fresh processes. A ratio is made round by
  round; its median stands with the least and the greatest. Absolute figures stand beside it.
- Everybody does the same work: a typed message with {payload} bytes is packed, sent, unpacked,
  packed again for the reply and unpacked, with a deadline on each call and handlers on worker
  threads. The two bare echoes do without all of that: the same bytes come back. They are the
  floor of nng's streams and of the kernel.
- One generator ([tools/load](../tools/load/load.h)) drives all of them. Closed loop: so many
  calls are always outstanding. Open loop: calls are due at a rate, and latency counts from when
  a call was due, so that a server that stalls cannot hide it. Calls that are due at the same
  moment are started together by ours ([rpc/cork.h](../shared/rpc/cork.h)); the others' clients
  have nothing of the kind.
- {placement}
- gRPC is driven as its guide for performance says: callback API on both sides, stubs, channels
  and messages used again. Its handlers run on worker threads as ours do; "no worker" is gRPC with
  handlers on its own threads, which suits those that neither wait nor compute
  ([why](decisions/0042-what-the-benchmark-compares.md)).
- {rounds} rounds of {seconds:g} s after a warm-up; processor time and memory of the server are
  read from /proc over the same window.
"""

PLACEMENTS = {
    "shared": "Server and client may both use both cores, for everybody.",
    "split": "The server has one core and the client the other, for everybody.",
}


def method_section(results):
    return METHOD.format(payload=128, placement=PLACEMENTS[results["placement"]],
                         rounds=results["rounds"],
                         seconds=results["duration_ms"] / 1000).splitlines() + [""]


def others_text(m):
    noisy = " **It was not quiet: measure again.**" if m["others_percent"] > NOISY_PERCENT else ""
    return f"Other programs had {m['others_percent']:g} % of its processor time meanwhile.{noisy}"


def machine_section(results):
    m = results["machine"]
    kind = "virtual machine" if m["hypervisor"] else "machine"
    return ["## Machine", "",
            f"A {kind} with {m['cores']} cores ({m['processor']}), {m['memory_gib']:g} GiB, "
            f"{m['system']}, Linux {m['kernel']}. {others_text(m)}", "",
            ", ".join(f"{name} {version}" for name, version in m["packages"].items()) + ".", ""]


WHERE = """\
## Where the time goes

- One call outstanding: waking threads. Five of them sleep on its way and are woken one after the
  other, two inside nng, and each costs 5 to 30 µs where cores go to sleep in between. Our own
  code takes 5 to 7 µs on both sides together.
- 64 outstanding: calls travel in batches of about 30, so their wake-ups and system calls are
  shared: 1 to 3 µs of the kernel's for a call on both sides together, and 1.2 to 2.3 µs of ours.

[Where the time of a call goes](where-time-goes.md) has the threads, the parts, what was tried,
and how to look again.
"""


def where_section(_):
    return WHERE.splitlines() + [""]


# ---- calls ------------------------------------------------------------------------------------

def spread_of(rounds, pick):
    return Spread(pick(r) for r in rounds)


def basic(c, **other):
    """Is this the usual transport, payload and number of connections, but for `other`?"""
    usual = {"transport": "tcp", "payload": 128, "connections": 1, **other}
    return "outstanding" in c["load"] and all(c[k] == v for k, v in usual.items())


def cells_table(cells, first, label, show):
    """A row for each cell, a column for each driver."""
    drivers = [d for d in calls.DRIVERS if any(d in c["rounds"] for c in cells)]
    rows = [[label(c), *(show(c["rounds"][d]) if d in c["rounds"] else "–" for d in drivers)]
            for c in cells]
    return table([first, *(NAMES[d] for d in drivers)], rows)


def thousands(value):
    return f"{value / 1000:,.0f}" if value >= 99950 else f"{value / 1000:.1f}"


def rate_text(rounds):
    s = spread_of(rounds, lambda r: r["calls_per_s"])
    return f"{thousands(s.mid)} ({thousands(s.low)} – {thousands(s.high)})"


def latency_text(rounds):
    p50, p99 = (spread_of(rounds, lambda r, p=p: r["latency_us"][p]).mid for p in ("p50", "p99"))
    return f"{us(p50)}, {us(p99)}"


def cost_text(rounds):
    server = spread_of(rounds, lambda r: r["server_cpu_us"]).mid
    client = spread_of(rounds, lambda r: r["client_cpu_us"]).mid
    rss = spread_of(rounds, lambda r: r["server_rss_kib"]).mid
    return f"{server:.2f} / {client:.2f} µs, {mib(rss)}"


def outstanding(c):
    return f"{c['load']['outstanding']:,}"


def calls_section(results):
    cells = results["suites"].get("calls", {}).get("cells", [])
    usual = sorted((c for c in cells if basic(c)), key=lambda c: c["load"]["outstanding"])
    if not usual:
        return []
    out = ["## Echo calls, TCP loopback, 128 bytes, one connection", "",
           "Thousand calls a second, median (least – most):", "",
           *cells_table(usual, "outstanding", outstanding, rate_text)]
    if len(usual) > 3:
        out += [f"![Calls a second by calls outstanding]({IMAGES}/bench-rate.svg)", ""]
    out += ["Latency, median and 99 %:", "",
            *cells_table(usual, "outstanding", outstanding, latency_text),
            "Processor time for a call, server / client, and the server's memory:", "",
            *cells_table(usual, "outstanding", outstanding, cost_text)]
    return out


def others_section(results):
    cells = results["suites"].get("calls", {}).get("cells", [])
    rows = [c for c in cells if "outstanding" in c["load"] and not basic(c)]
    if not rows:
        return []

    def label(c):
        conns = "" if c["connections"] == 1 else f", {c['connections']} connections"
        return f"{c['transport']}, {c['payload']:,} B, {outstanding(c)} outstanding{conns}"
    return ["## Other payloads, ipc, more connections", "",
            "Thousand calls a second:", "",
            *cells_table(rows, "", label, rate_text)]


def sweep_section(results):
    points = results["suites"].get("calls", {}).get("sweep")
    if not points:
        return []
    rows = []
    for p in points:
        for driver, rounds in p["rounds"].items():
            rows.append([NAMES[driver], f"{p['load']['rate']:,.0f}", f"{p['share']:.0%}",
                         latency_text(rounds)])
    return ["## Open loop", "",
            "Calls are due at a rate: a share of what each does in closed loop with 64 "
            "outstanding.", "",
            *table(["", "calls/s", "share", "latency, median and 99 %"], rows),
            f"![99 % latency by rate]({IMAGES}/bench-open.svg)", ""]


# ---- services -----------------------------------------------------------------------------------

def services_section(results):
    growth, replicas = (results["suites"].get(name) for name in ("growth", "replicas"))
    out = []
    if growth:
        latency = Spread(growth["latency_rounds"])
        out += [f"GetPatientDetail over all subjects of a study, one call at a time: "
                f"{growth['theirs']}, {growth['ours']}. The cost is the processor time of both "
                f"services; latency grew by a factor of {number(latency.mid)} "
                f"({number(latency.low)} – {number(latency.high)}).", ""]
    if replicas:
        out += [f"Probe/Echo with handlers that wait 5 ms, 8 workers each: {replicas['theirs']}, "
                f"{replicas['ours']}.", ""]
    return ["## The services", "", *out] if out else []


# ---- cancels and deadlines ------------------------------------------------------------------------

def ms(value):
    return us(1000 * value)


def stops_section(results):
    rounds = results["suites"].get("stops", {}).get("rounds")
    if not rounds:
        return []
    last = rounds[-1]  # one of them in full; the goals have all
    stop = [[f"{x['hops']}", x["load"], x["work"], f"{x['ms']['count']}", ms(x["ms"]["p50"]),
             ms(x["ms"]["p99"]), ms(x["ms"]["max"]), f"{x['stuck']}"] for x in last["stop"]]
    late = [[x["load"], f"{x['ms']['count']}", ms(x["ms"]["p50"]), ms(x["ms"]["p99"]),
             ms(x["ms"]["max"]), f"{x['early']}"] for x in last["late"]]
    waste = [[f"{x['factor']:g} ×", x["work"], "on" if x["checks"] else "off", f"{x['runs']:,}",
              f"{x['useless']:,}", f"{100 * x['wasted_share']:.2f} %", f"{x['ok_per_s']:,.0f}"]
             for x in last["waste"]]
    return ["## Cancels and deadlines", "",
            "From the caller's cancel until its handler has returned, on a clock that both share; "
            "2x is a load of twice what the servers can do:", "",
            *table(["hops", "load", "handler", "calls", "p50", "p99", "slowest", "not stopped"],
                   stop),
            "How late a caller that waits returns after its deadline:", "",
            *table(["load", "calls", "p50", "p99", "slowest", "early"], late),
            "What workers do after a caller gave up, in open loop over capacity, with the checks of "
            "deadlines and cancels on and off:", "",
            *table(["load", "handler", "checks", "handlers run", "for nobody", "time wasted",
                    "in time a second"], waste)]


# ---- overload -------------------------------------------------------------------------------------

DOES = {"waits": "wait 5 ms, 8 workers", "spins": "compute for 1 ms, 2 workers"}


PARTS = {"points": "", "throttled": ", callers that throttle"}


def curve_title(c, part):
    return (f"{NAMES[c['driver']]}{PARTS[part]}: handlers that {DOES[c['work']]}, deadline "
            f"{c['times']} times that{', shared cores' if c.get('shared') else ''}")


def curve_rows(curves, factors):
    for c in curves:
        most = f"{spread_of(c['rounds'], lambda r: r['capacity']).mid:,.0f}"
        for part in PARTS:
            have = overload.factors_of(c, part)
            if have:
                yield [curve_title(c, part), most,
                       *(f"{overload.share(c, f, part).mid:.2f}" if f in have else "–"
                         for f in factors)]


def plot_name(c):
    return (f"bench-goodput-{c['work']}-{c['times']}"
            f"{'-shared' if c.get('shared') else ''}.svg")


def plot_title(c):
    return (f"Goodput, handlers that {DOES[c['work']]}"
            f"{', shared cores' if c.get('shared') else ''}")


def overload_section(results):
    curves = results["suites"].get("overload", {}).get("curves")
    if not curves:
        return []
    factors = overload.factors_of(curves[0])
    out = ["## Overload", "",
           "Open loop at multiples of what a server does in closed loop. Goodput is what the caller "
           "has within its deadline; here it is a share of the best of each row. gRPC has a pool of "
           "as many threads behind a queue of 64 calls, which skips calls that were cancelled; "
           "further ones are refused. Callers that throttle hold back what is refused all the same. "
           "Shared cores: server and callers have both.", "",
           *table(["goodput ÷ peak", "capacity, calls/s", *(f"{f:g} ×" for f in factors)],
                  curve_rows(curves, factors))]
    for name, c in sorted({plot_name(c): c for c in curves}.items()):
        out.append(f"![{plot_title(c)}, deadline {c['times']} times that]({IMAGES}/{name})")
    return [*out, ""]


def goodput_plots(curves):
    titles, out = {}, {}
    for c in curves:
        titles[plot_name(c)] = plot_title(c)
        series = out.setdefault(plot_name(c), [])
        for part, short in (("points", ""), ("throttled", ", throttled")):
            factors = overload.factors_of(c, part)
            if factors:
                series.append((NAMES[c["driver"]] + short, [
                    (f, max(Spread(next(p["ok_per_s"] for p in r[part] if p["factor"] == f)
                                   for r in c["rounds"]).mid, 1)) for f in factors]))
    return {name: plot.chart(titles[name], "load ÷ capacity", "in time a second", series,
                             sorted({x for _, line in series for x, _ in line}))
            for name, series in out.items()}


# ---- the page -------------------------------------------------------------------------------------

def head(results):
    src = results["source"]
    text = (f"Written by `make bench{'-quick' if results['quick'] else ''}` on "
            f"{results['made'][:10]} from commit {src['commit'] or 'unknown'}"
            f"{' with changes' if src['changed'] else ''}, in {results.get('seconds', 0)} s"
            f"{', in two parts' if results.get('resumed') else ''}.")
    if results["quick"]:
        text += " A quick run: the lines with a goal alone, in short rounds."
    text += " [Where the time of a call goes](where-time-goes.md) says what stands behind the figures."
    return ["# Benchmarks", "", text, ""]


SECTIONS = [head, goals_section, method_section, machine_section, calls_section, others_section,
            sweep_section, where_section, stops_section, overload_section, services_section]


def plots(results):
    """File names and their bytes."""
    suite = results["suites"].get("calls", {})
    usual = [c for c in suite.get("cells", []) if basic(c)]
    out = {}
    if len(usual) > 3:
        series = [(NAMES[d], sorted((c["load"]["outstanding"],
                                     spread_of(c["rounds"][d], lambda r: r["calls_per_s"]).mid)
                                    for c in usual if d in c["rounds"]))
                  for d in calls.DRIVERS]
        out["bench-rate.svg"] = plot.chart(
            "Calls a second by calls outstanding", "calls outstanding", "calls a second",
            [s for s in series if s[1]], sorted({c["load"]["outstanding"] for c in usual}))
    if suite.get("sweep"):
        lines = {}
        for p in suite["sweep"]:
            for d, rounds in p["rounds"].items():
                lines.setdefault(NAMES[d], []).append(
                    (p["load"]["rate"], spread_of(rounds, lambda r: r["latency_us"]["p99"]).mid))
        out["bench-open.svg"] = plot.chart("99 % latency by rate, open loop", "calls a second",
                                           "µs", list(lines.items()))
    return out | goodput_plots(results["suites"].get("overload", {}).get("curves", []))


def write(results, docs):
    lines = [line for section in SECTIONS for line in section(results)]
    with open(f"{docs}/benchmarks.md", "w", encoding="utf-8") as f:
        f.write("\n".join(lines).rstrip("\n") + "\n")
    for name, text in plots(results).items():
        os.makedirs(f"{docs}/{IMAGES}", exist_ok=True)
        with open(f"{docs}/{IMAGES}/{name}", "w", encoding="utf-8") as f:
            f.write(text)


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        results = json.load(f)
    write(results, sys.argv[2] if len(sys.argv) > 2 else "docs")
    print(goals_text(results))


if __name__ == "__main__":
    main()
