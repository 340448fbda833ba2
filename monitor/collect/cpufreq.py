"""How fast the cores run and may run: /sys/devices/system/cpu/cpu<n>/cpufreq, in kHz.

Linux, Documentation/admin-guide/pm/cpufreq.rst: cpuinfo_* is the hardware's, scaling_* the policy's.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.attributes import names, number, text
from monitor.collect.host import Host
from monitor.collect.seldom import Seldom
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

FOLDER = "devices/system/cpu"
KILOHERTZ = 1000.0
LIMITS = 10.0
"""Seconds between two looks at what a governor or a person sets, and at what only hardware can tell."""


def hertz(field: str, text: str) -> Metric:
    return Metric(f"node_cpu_{field}_hertz", Kind.GAUGE, text, "hertz")


NOW = "scaling_cur_freq"
FILES = {
    NOW: hertz("scaling_frequency", "Frequency that the policy gives a core now."),
    "scaling_min_freq": hertz("scaling_frequency_min", "Least frequency that the policy allows."),
    "scaling_max_freq": hertz("scaling_frequency_max", "Greatest frequency that the policy allows."),
    "cpuinfo_cur_freq": hertz("frequency", "Frequency of a core as its hardware tells it."),
    "cpuinfo_min_freq": hertz("frequency_min", "Least frequency that a core can have."),
    "cpuinfo_max_freq": hertz("frequency_max", "Greatest frequency that a core can have."),
}
GOVERNOR = Metric("node_cpu_scaling_governor", Kind.GAUGE, "Whether a governor is the one in charge.")

Found = dict[tuple[str, str], float]
"""By core and file, or core and governor."""


class Cpufreq:
    def __init__(self) -> None:
        self._cores: list[str] = []
        self._now: Shape[tuple[str, str]] = Shape(frequency)
        self._limits: Shape[tuple[str, str]] = Shape(frequency)
        self._governors: Shape[tuple[str, str]] = Shape(governor)
        self._seldom = Seldom(self._limited, LIMITS)

    def collect(self, host: Host) -> Iterator[Block]:
        yield from self._seldom.blocks(host)
        yield self._now.block(frequencies(host, self._cores, [NOW]))

    def _limited(self, host: Host) -> Iterator[Block]:
        cores = [name.removeprefix("cpu") for name in names(host, FOLDER)]
        self._cores = [core for core in cores if core.isdigit() and names(host, policy(core))]
        if not self._cores:
            raise FileNotFoundError(f"{host.sysfs}/{FOLDER}/cpu0/cpufreq: no core has a policy")
        yield self._limits.block(frequencies(host, self._cores, [file for file in FILES if file != NOW]))
        yield self._governors.block(governors(host, self._cores))


def policy(core: str) -> str:
    return f"{FOLDER}/cpu{core}/cpufreq"


def frequencies(host: Host, cores: list[str], files: list[str]) -> Found:
    """What the files of each core hold, in hertz."""
    found = {(core, file): number(host, f"{policy(core)}/{file}") for core in cores for file in files}
    return {key: value * KILOHERTZ for key, value in found.items() if value is not None}


def governors(host: Host, cores: list[str]) -> Found:
    """For each governor that a core may have, whether it has it."""
    found: Found = {}
    for core in cores:
        chosen = text(host, f"{policy(core)}/scaling_governor")
        offered = text(host, f"{policy(core)}/scaling_available_governors") or ""
        found |= {(core, name): float(name == chosen) for name in offered.split()}
    return found


def frequency(key: tuple[str, str]) -> Entry:
    core, file = key
    return FILES[file].at(cpu=core)


def governor(key: tuple[str, str]) -> Entry:
    core, name = key
    return GOVERNOR.at(cpu=core, governor=name)
