"""Control groups of version 2 (Linux, Documentation/admin-guide/cgroup-v2.rst): one folder for each group."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.cgroup import metrics as m
from monitor.collect.cgroup.files import Counts, Devices, members, processes, text
from monitor.collect.cgroup.metrics import fields, limit, picked, pressure
from monitor.collect.cgroup.place import Place, places

MICROSECONDS = 1e6
TIMES = {"usage_usec": (m.CPU, "total"), "user_usec": (m.USER, ""), "system_usec": (m.SYSTEM, "")}
PERIODS = {"nr_periods": (m.PERIODS, ""), "nr_throttled": (m.THROTTLED, "")}
HELD_BACK = {"throttled_usec": (m.HELD_BACK, "")}
MEMORY = {
    "anon": (m.RSS, ""),
    "file": (m.CACHE, ""),
    "file_mapped": (m.MAPPED, ""),
    "pgfault": (m.FAILURES, "pgfault"),
    "pgmajfault": (m.FAILURES, "pgmajfault"),
}


class Unified:
    """All groups below a folder."""

    def __init__(self, root: str, devices: Devices) -> None:
        self._root = root
        self._devices = devices

    def places(self) -> Iterator[Place]:
        """The containers and units that there are."""
        return places(self._root)

    def number(self) -> str:
        """What changes when a group comes or goes (nr_descendants); empty where nothing tells."""
        return text(f"{self._root}/cgroup.stat").partition("\n")[0]

    def members(self, path: str) -> list[str]:
        """Processes of a group, by their numbers."""
        return members(self._root + path)

    def measured(self, path: str) -> Counts:
        """What a group used by now; nothing for one that is gone."""
        folder = self._root + path
        stat = text(f"{folder}/cpu.stat")
        if not stat:
            return {}
        found = cpu(fields(stat), text(f"{folder}/cpu.max"))
        found |= memory(folder)
        found |= self._devices.counted(io(text(f"{folder}/io.stat")))
        found[m.PROCESSES, ""] = float(processes(folder))
        found |= threads(folder)
        for resource in ("cpu", "memory", "io"):
            found |= pressure(resource, text(f"{folder}/{resource}.pressure"))
        return found


def cpu(stat: dict[str, float], most: str) -> Counts:
    """CPU time; the periods only where there is a limit (`cpu.max` is `quota period`)."""
    found = picked(stat, TIMES, MICROSECONDS)
    quota, period = most.split() if most else ("max", "0")
    if quota != "max":
        found |= {(m.QUOTA, ""): float(quota), (m.PERIOD, ""): float(period)}
        found |= picked(stat, PERIODS) | picked(stat, HELD_BACK, MICROSECONDS)
    return found


def memory(folder: str) -> Counts:
    """Memory, where the controller is on."""
    used, stat = text(f"{folder}/memory.current"), fields(text(f"{folder}/memory.stat"))
    if not used:
        return {}
    found = picked(stat, MEMORY)
    found[m.MEMORY, ""] = float(used)
    found[m.WORKING, ""] = max(float(used) - stat.get("inactive_file", 0.0), 0.0)
    if swapped := text(f"{folder}/memory.swap.current"):
        found[m.SWAP, ""] = float(swapped)
    if most := text(f"{folder}/memory.max"):
        found[m.LIMIT, ""] = limit(most)
    return found | picked(fields(text(f"{folder}/memory.events")), {"oom_kill": (m.KILLED, "")})


def threads(folder: str) -> Counts:
    """Threads, where the controller is on."""
    found: Counts = {}
    if number := text(f"{folder}/pids.current"):
        found[m.THREADS, ""] = float(number)
    if most := text(f"{folder}/pids.max"):
        found[m.THREADS_MAX, ""] = limit(most)
    return found


def io(stat: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Each device with its fields: lines of `8:0 rbytes=1 wbytes=2 ...`."""
    for line in stat.splitlines():
        number, *pairs = line.split()
        split = (pair.partition("=") for pair in pairs)
        # An old kernel puts devices without numbers into the line of the next.
        if values := {key: float(value) for key, _, value in split if value.isdigit()}:
            yield number, values
