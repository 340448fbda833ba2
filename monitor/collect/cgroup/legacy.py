"""Control groups of version 1 (Linux, Documentation/admin-guide/cgroup-v1/): a hierarchy for each controller.

Runtimes and systemd give a group the same path in all of them.  Where version 2 is mounted beside them
(`unified`), pressure is told there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator

from monitor.collect.cgroup import metrics as m
from monitor.collect.cgroup.files import Counts, Devices, members, processes, text
from monitor.collect.cgroup.metrics import fields, limit, picked, pressure
from monitor.collect.cgroup.place import Place, places

NANOSECONDS = 1e9
TICKS = os.sysconf("SC_CLK_TCK")
CONTROLLERS = ("cpuacct", "memory", "pids", "blkio", "cpu")
TIMES = {"user": (m.USER, ""), "system": (m.SYSTEM, "")}
PERIODS = {"nr_periods": (m.PERIODS, ""), "nr_throttled": (m.THROTTLED, "")}
HELD_BACK = {"throttled_time": (m.HELD_BACK, "")}
MEMORY = {
    "total_rss": (m.RSS, ""),
    "total_cache": (m.CACHE, ""),
    "total_mapped_file": (m.MAPPED, ""),
    "total_swap": (m.SWAP, ""),
    "total_pgfault": (m.FAILURES, "pgfault"),
    "total_pgmajfault": (m.FAILURES, "pgmajfault"),
}


class Legacy:
    """All groups below the folder of the hierarchies."""

    def __init__(self, root: str, devices: Devices) -> None:
        self._root = root
        self._devices = devices

    def places(self) -> Iterator[Place]:
        """The containers and units that any controller knows."""
        found: dict[str, Place] = {}
        for controller in CONTROLLERS:
            found |= {place.path: place for place in places(f"{self._root}/{controller}")}
        return iter(found.values())

    def number(self) -> str:
        """Nothing tells when a group comes or goes."""
        return ""

    def members(self, path: str) -> list[str]:
        """Processes of a group, by their numbers."""
        folders = (f"{self._root}/{each}{path}" for each in CONTROLLERS)
        return next(filter(None, map(members, folders)), [])

    def measured(self, path: str) -> Counts:
        """What a group used by now; nothing for one that is gone."""
        folder = {each: f"{self._root}/{each}{path}" for each in (*CONTROLLERS, "unified")}
        found = cpu(folder["cpuacct"], folder["cpu"])
        found |= memory(folder["memory"])
        found |= self._devices.counted(io(folder["blkio"]))
        if number := text(f"{folder['pids']}/pids.current"):
            found[m.THREADS, ""] = float(number)
            found[m.THREADS_MAX, ""] = limit(text(f"{folder['pids']}/pids.max") or "max")
        if not found:
            return {}
        found[m.PROCESSES, ""] = float(max(processes(folder[each]) for each in CONTROLLERS))
        for resource in ("cpu", "memory", "io"):
            found |= pressure(resource, text(f"{folder['unified']}/{resource}.pressure"))
        return found


def cpu(accounted: str, limited: str) -> Counts:
    """CPU time of the controller cpuacct, and the limit of the controller cpu."""
    found = picked(fields(text(f"{accounted}/cpuacct.stat")), TIMES, TICKS)
    if used := text(f"{accounted}/cpuacct.usage"):
        found[m.CPU, "total"] = float(used) / NANOSECONDS
    quota, period = text(f"{limited}/cpu.cfs_quota_us"), text(f"{limited}/cpu.cfs_period_us")
    if quota and period and float(quota) > 0:
        stat = fields(text(f"{limited}/cpu.stat"))
        found |= {(m.QUOTA, ""): float(quota), (m.PERIOD, ""): float(period)}
        found |= picked(stat, PERIODS) | picked(stat, HELD_BACK, NANOSECONDS)
    return found


def memory(folder: str) -> Counts:
    """Memory with that of the groups below."""
    used, stat = text(f"{folder}/memory.usage_in_bytes"), fields(text(f"{folder}/memory.stat"))
    if not used:
        return {}
    found = picked(stat, MEMORY)
    found[m.MEMORY, ""] = float(used)
    found[m.WORKING, ""] = max(float(used) - stat.get("total_inactive_file", 0.0), 0.0)
    if most := text(f"{folder}/memory.limit_in_bytes"):
        found[m.LIMIT, ""] = limit(most)
    return found | picked(fields(text(f"{folder}/memory.oom_control")), {"oom_kill": (m.KILLED, "")})


def io(folder: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Each device with its fields, as version 2 names them: lines of `8:0 Read 1`, and a total."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for name, unit in (("io_service_bytes", "bytes"), ("io_serviced", "ios")):
        for line in text(f"{folder}/blkio.throttle.{name}_recursive").splitlines():
            number, *rest = line.split()
            if len(rest) == 2 and rest[0] in ("Read", "Write"):
                found[number][rest[0][0].lower() + unit] = float(rest[1])
    return iter(found.items())
