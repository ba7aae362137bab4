# SPDX-License-Identifier: Apache-2.0
"""The processes of a measurement: servers, and clients that print one JSON object."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

START_S = 20  # for a server to say that it is ready
STOP_S = 10  # for a server to end after SIGTERM


class Failed(Exception):
    """A process did not do what it was started for."""


def cores():
    """The two cores that everything runs on, whatever the machine has."""
    return sorted(os.sched_getaffinity(0))[:2]


# Which cores a server and its client may use. Decided in docs/decisions/0042.
PLACEMENTS = {
    "shared": lambda: (cores(), cores()),
    "split": lambda: (cores()[:1], cores()[-1:]),
}


def free_url(transport, folder):
    """An address that nobody listens at."""
    if transport == "ipc":
        return f"ipc://{folder}/bench-{time.monotonic_ns()}.sock"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{s.getsockname()[1]}"


class Server:
    """A server process from when it is ready until it has ended. Use with `with`."""

    def __init__(self, argv, on, log, ready=r"^ready$"):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                preexec_fn=lambda: os.sched_setaffinity(0, on))
        try:
            self.match = self._wait_for(re.compile(ready, re.M))
        except BaseException:
            self.stop()
            raise

    def _wait_for(self, ready):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                match = ready.search(f.read())
            if match:
                return match
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise Failed(f"{self.process.args[0]} did not start; it said: {self._said()}")

    def _said(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:].strip() or "nothing"

    @property
    def pid(self):
        return self.process.pid

    def cpu_s(self):
        """User and system time of all its threads so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.stop()


def run_client(argv, on, timeout_s, none_ok=False):
    """Runs a client to its end; what it printed, parsed. none_ok: even if no call was OK, which
    is status 1 of a generator; a server in overload can be like that."""
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, on))
    except subprocess.TimeoutExpired as why:
        raise Failed(f"{' '.join(argv)} did not end within {timeout_s:.0f} s") from why
    if done.returncode != 0 and not (none_ok and done.returncode == 1 and done.stdout):
        said = (done.stderr or done.stdout).decode(errors="replace")[-2000:].strip()
        raise Failed(f"{' '.join(argv)}: exit status {done.returncode}: {said}")
    return json.loads(done.stdout)
