"""What the cores are: /proc/cpuinfo, and the folders of /sys/devices/system/cpu.

Linux, Documentation/ABI/testing/sysfs-devices-system-cpu and Documentation/admin-guide/cputopology.rst.  An
empty line ends each core of the first; the others write a list of cores as `0-3,8`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from monitor.collect.attributes import number, text
from monitor.collect.exclude import NOTHING
from monitor.collect.host import Host
from monitor.collect.seldom import Seldom
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

FOLDER = "devices/system/cpu"
STATES = 10.0
"""Seconds between two looks at what may change: each is a file of a core."""

INFO = Metric("node_cpu_info", Kind.GAUGE, "Always 1; the labels tell which core it is.")
PARTS = {
    "package": "physical id",
    "core": "core id",
    "cpu": "processor",
    "vendor": "vendor_id",
    "family": "cpu family",
    "model": "model",
    "model_name": "model name",
    "microcode": "microcode",
    "stepping": "stepping",
    "cachesize": "cache size",
}
"""The name of each label in /proc/cpuinfo."""
FLAG = Metric("node_cpu_flag_info", Kind.GAUGE, "Always 1; a feature of the first core.")
BUG = Metric("node_cpu_bug_info", Kind.GAUGE, "Always 1; a bug of the first core that the kernel knows.")
ISOLATED = Metric("node_cpu_isolated", Kind.GAUGE, "Always 1; a core that was taken from the scheduler.")
ONLINE = Metric("node_cpu_online", Kind.GAUGE, "Whether a core is online.")
CORE_THROTTLES = Metric(
    "node_cpu_core_throttles_total", Kind.COUNTER, "How often a core was slowed down as it was hot."
)
PACKAGE_THROTTLES = Metric(
    "node_cpu_package_throttles_total", Kind.COUNTER, "How often a package was slowed down as it was hot."
)

Found = dict[Entry, float]


class CpuInfo:
    """Features and bugs are those that match a pattern; an empty one takes none."""

    def __init__(self, flags_include: str, bugs_include: str) -> None:
        self._wanted = {
            "flags": (FLAG, "flag", re.compile(flags_include or NOTHING)),
            "bugs": (BUG, "bug", re.compile(bugs_include or NOTHING)),
        }
        self._parts = Seldom(self._identity), Seldom(states, STATES)

    def blocks(self, host: Host) -> Iterator[Block]:
        """What the cores are and how they are."""
        for part in self._parts:
            yield from part.blocks(host)

    def _identity(self, host: Host) -> Iterator[Block]:
        found: Found = {}
        with suppress(FileNotFoundError):  # Containers may hide it.
            cores = list(map(described, host.proc("cpuinfo").split("\n\n")[:-1]))
            found |= {INFO.at(**labels(core)): 1.0 for core in cores if "processor" in core}
            for field, (metric, label, wanted) in self._wanted.items():
                words = cores[0].get(field, "").split() if cores else []
                found |= {metric.at(**{label: word}): 1.0 for word in words if wanted.search(word)}
        isolated = listed(text(host, f"{FOLDER}/isolated"))
        yield block(found | {ISOLATED.at(cpu=core): 1.0 for core in isolated})


def described(text: str) -> dict[str, str]:
    """The lines `name : value` of one core."""
    lines = [line.partition(":") for line in text.splitlines()]
    return {name.strip(): value.strip() for name, _, value in lines}


def labels(core: dict[str, str]) -> dict[str, str]:
    return {label: core[name] for label, name in PARTS.items() if core.get(name)}


def listed(text: str | None) -> list[str]:
    """The cores of a list such as `0-3,8`.  Raises ValueError for one that is none."""
    found: list[str] = []
    for part in (text or "").split(","):
        first, _, last = part.partition("-")
        if first.strip():
            found += map(str, range(int(first), int(last or first) + 1))
    return found


def states(host: Host) -> Iterator[Block]:
    """Which cores are online, and how often they were slowed down."""
    present = listed(text(host, f"{FOLDER}/present"))
    online = set(listed(text(host, f"{FOLDER}/online")))
    found: Found = {ONLINE.at(cpu=core): float(core in online) for core in present}
    for core in present:
        found |= throttles(host, f"{FOLDER}/cpu{core}")
    yield block(found)


def throttles(host: Host, folder: str) -> Found:
    """The counts of a core and of its package, each the same for all cores that share it."""
    counts = {
        CORE_THROTTLES: number(host, f"{folder}/thermal_throttle/core_throttle_count"),
        PACKAGE_THROTTLES: number(host, f"{folder}/thermal_throttle/package_throttle_count"),
    }
    if set(counts.values()) == {None}:
        return {}
    package = text(host, f"{folder}/topology/physical_package_id") or ""
    core = text(host, f"{folder}/topology/core_id") or ""
    entries = {CORE_THROTTLES: CORE_THROTTLES.at(package=package, core=core)}
    entries[PACKAGE_THROTTLES] = PACKAGE_THROTTLES.at(package=package)
    return {entries[metric]: value for metric, value in counts.items() if value is not None}


def block(found: Found) -> Block:
    return Block(layout(tuple(found)), list(found.values()))
