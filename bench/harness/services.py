# SPDX-License-Identifier: Apache-2.0
"""report-svc and patient-svc as servers of a measurement."""

from harness.procs import Server

LISTENING = r" msg=listening url=(\S+)"


def _start(bench, name, log, on, settings):
    argv = [bench.program(name, "bin"), "-c", f"configs/{name}.cfg"]
    for key, value in settings.items():
        argv += ["-s", f"{key}={value}"]
    server = Server(argv, on, f"{bench.tmp}/{log}.log", ready=LISTENING)
    server.url = server.match.group(1)
    return server


def report(bench, folder, on, tag="report", **settings):
    return _start(bench, "report-svc", tag, on, {
        "server.listen": "tcp://127.0.0.1:0", "store.path": f"{folder}/report.db", **settings})


def patient(bench, folder, on, report_url, tag="patient"):
    return _start(bench, "patient-svc", tag, on, {
        "server.listen": "tcp://127.0.0.1:0", "store.path": f"{folder}/patient.db",
        "peers.report.urls": report_url})
