# SPDX-License-Identifier: Apache-2.0
"""What a run was made on and of."""

import os
import platform
import resource
import subprocess
import time

PACKAGES = ["libgrpc++1.51", "libnng1", "libprotobuf-c1", "libprotobuf32", "libsqlite3-0", "gcc"]


def _first(path, key):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                name, _, value = line.partition(":" if ":" in line else "=")
                if name.strip() == key:
                    return value.strip().strip('"')
    except OSError:
        pass
    return "unknown"


def _output(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe():
    memory_kib = _first("/proc/meminfo", "MemTotal").split()[0]
    versions = _output("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PACKAGES)
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory_kib) / 2**20, 1) if memory_kib.isdigit() else 0,
        "system": _first("/etc/os-release", "PRETTY_NAME"),
        "kernel": platform.release(),
        "hypervisor": "hypervisor" in _first("/proc/cpuinfo", "flags").split(),
        "packages": dict(line.split(" ", 1) for line in versions.splitlines() if " " in line),
    }


def source():
    """The commit that was measured, and whether files were changed since."""
    return {
        "commit": _output("git", "rev-parse", "--short=12", "HEAD"),
        "changed": bool(_output("git", "status", "--porcelain", "--untracked-files=no")),
    }


class Others:
    """What share of the processors went to others than us since this was made: they and we
    measure each other."""

    def __init__(self):
        self.begun, self.busy, self.own = time.monotonic(), self._busy_s(), self._own_s()

    @staticmethod
    def _busy_s():
        """Of all processors, since they were started; time that the host took counts, too."""
        with open("/proc/stat", encoding="ascii") as f:
            user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _own_s():
        """Of this process and of those it started that have ended."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in used)

    def percent(self):
        others = self._busy_s() - self.busy - (self._own_s() - self.own)
        room = (time.monotonic() - self.begun) * os.cpu_count()
        return round(max(100 * others / room, 0), 1)
