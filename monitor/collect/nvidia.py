"""NVIDIA's GPUs, by what the driver tells (NVML), with the names and units of NVIDIA's DCGM exporter.

The driver is asked by a process of its own (monitor.collect.nvml).  What it takes long to tell (the traffic
of the bus 21 ms a direction, energy 3 ms on an H100) is asked now and then, and stands in between.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.collect.tree import UNREADABLE
from monitor.collect.workers import Pool, Turns
from monitor.model import Block, Kind, Metric

log = logging.getLogger(__name__)

EVERY, SLOW_EVERY, TIMEOUT = 1.0, 30.0, 10.0
ABSENT = 30.0
"""Seconds after which a driver that was not there is looked for again."""
PROGRAM = Path(__file__).with_name("nvml.py")
DRIVER = "driver/nvidia"
MIB = 1 << 20


class Field(NamedTuple):
    """A number of the driver's: the function that tells it (monitor.collect.nvml), and its metric."""

    metric: Metric
    function: str
    constants: tuple[str, ...] = ()
    part: str | int = ""
    per: float = 1


def gauge(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"DCGM_FI_DEV_{name}", Kind.GAUGE, text, unit)


def counter(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"DCGM_FI_DEV_{name}", Kind.COUNTER, text, unit)


ECC = "NVML_VOLATILE_ECC"
FAST = (
    Field(
        gauge("GPU_UTIL", "Share of time in which the GPU worked.", "percent"), "UtilizationRates", (), "gpu"
    ),
    Field(
        gauge("MEM_COPY_UTIL", "Share of time in which its memory was read or written.", "percent"),
        *("UtilizationRates", (), "memory"),
    ),
    Field(gauge("ENC_UTIL", "Use of the video encoder.", "percent"), "EncoderUtilization", (), 0),
    Field(gauge("DEC_UTIL", "Use of the video decoder.", "percent"), "DecoderUtilization", (), 0),
    Field(gauge("FB_USED", "Memory in use.", "mebibytes"), "MemoryInfo", (), "used", MIB),
    Field(gauge("FB_FREE", "Memory that is free.", "mebibytes"), "MemoryInfo", (), "free", MIB),
    Field(gauge("FB_TOTAL", "Memory.", "mebibytes"), "MemoryInfo", (), "total", MIB),
    Field(gauge("GPU_TEMP", "Temperature.", "celsius"), "Temperature", ("NVML_TEMPERATURE_GPU",)),
    Field(gauge("POWER_USAGE", "Power that is drawn.", "watts"), "PowerUsage", per=1000),
    Field(gauge("SM_CLOCK", "Clock of the processors.", "megahertz"), "ClockInfo", ("NVML_CLOCK_SM",)),
    Field(gauge("MEM_CLOCK", "Clock of the memory.", "megahertz"), "ClockInfo", ("NVML_CLOCK_MEM",)),
    Field(gauge("PSTATE", "State of performance; 0 is the fastest."), "PerformanceState"),
    Field(
        gauge("CLOCK_THROTTLE_REASONS", "Bits that say what holds the clocks back."),
        "CurrentClocksThrottleReasons",
    ),
)
"""A few microseconds each."""
SLOW = (
    Field(gauge("POWER_MGMT_LIMIT", "Power that may be drawn.", "watts"), "EnforcedPowerLimit", per=1000),
    Field(
        counter("TOTAL_ENERGY_CONSUMPTION", "Energy since the driver was loaded.", "millijoules"),
        "TotalEnergyConsumption",
    ),
    Field(gauge("FAN_SPEED", "Speed of the fan.", "percent"), "FanSpeed"),
    Field(
        gauge("PCIE_TX_THROUGHPUT", "What the GPU sends over the bus.", "kilobytes per second"),
        *("PcieThroughput", ("NVML_PCIE_UTIL_TX_BYTES",)),
    ),
    Field(
        gauge("PCIE_RX_THROUGHPUT", "What the GPU receives over the bus.", "kilobytes per second"),
        *("PcieThroughput", ("NVML_PCIE_UTIL_RX_BYTES",)),
    ),
    Field(
        counter("PCIE_REPLAY_COUNTER", "Packets that had to be sent again over the bus."), "PcieReplayCounter"
    ),
    Field(
        counter(
            "ECC_SBE_VOL_TOTAL", "Errors of the memory that were corrected, since the driver was loaded."
        ),
        *("TotalEccErrors", ("NVML_MEMORY_ERROR_TYPE_CORRECTED", ECC)),
    ),
    Field(
        counter("ECC_DBE_VOL_TOTAL", "Errors of the memory that were not, since the driver was loaded."),
        *("TotalEccErrors", ("NVML_MEMORY_ERROR_TYPE_UNCORRECTED", ECC)),
    ),
    Field(
        gauge("BAR1_USED", "Memory that is mapped for the bus.", "mebibytes"),
        "BAR1MemoryInfo",
        (),
        "bar1Used",
        MIB,
    ),
    Field(
        gauge("RETIRED_PENDING", "Whether pages of the memory wait to be retired."),
        "RetiredPagesPendingStatus",
    ),
)
"""Up to 21 milliseconds each, or hardly ever another."""
TEXTS: Mapping[str, tuple[str, tuple[str, ...], str | int]] = {
    "UUID": ("UUID", (), ""),
    "device": ("MinorNumber", (), ""),
    "modelName": ("Name", (), ""),
    "pci_bus_id": ("PciInfo", (), "busId"),
}
"""Labels."""
METRICS = {each.metric.name: each for each in (*FAST, *SLOW)}


class Nvidia:
    """All GPUs every `every` seconds, what is slow every `slow_every`."""

    def __init__(
        self,
        every: float = EVERY,
        slow_every: float = SLOW_EVERY,
        timeout: float = TIMEOUT,
        folder: Path | None = None,
    ) -> None:
        self.every = every
        self.limit = timeout
        self._every = every
        self._slow_every = slow_every
        self._folder = folder
        self._driver = Turns(Pool(PROGRAM, most=4))
        self._asked = -inf
        self._slow: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, str] = {}

    async def refresh(self, host: Host) -> list[Block]:
        """Ask the driver.  Raises FileNotFoundError where there is none, or no package to ask it with."""
        self.every = ABSENT
        folder = self._found(host)
        self.every = self._every
        slow = host.now >= self._asked + self._slow_every
        told = json.loads(await self._driver.ask(question(folder, slow)))
        if "error" in told:
            raise OSError(errno.EIO, f"NVIDIA's driver: {told['error']}")
        if slow:
            self._asked = host.now
        return self._block(dict(enumerate(told["devices"])))

    async def close(self) -> None:
        """End the process that asks."""
        self._driver.close()

    def _found(self, host: Host) -> Path:
        """The folder of pynvml, which is not loaded here."""
        if not Path(host.procfs, DRIVER).exists():
            raise FileNotFoundError(errno.ENOENT, "no driver of NVIDIA's", f"{host.procfs}/{DRIVER}")
        if self._folder:
            return self._folder
        spec = find_spec("pynvml")
        if spec is None or spec.origin is None:
            why = "there is a GPU of NVIDIA's; for its numbers install monitor[nvidia]"
            raise FileNotFoundError(errno.ENOENT, why, "pynvml")
        return Path(spec.origin).parent

    def _block(self, devices: Mapping[int, Mapping[str, Any]]) -> list[Block]:
        faults = {
            f"GPU {number}: {name}": why
            for number, told in devices.items()
            for name, why in told["errors"].items()
        }
        self._note(faults)
        found = {
            entry: value for number, told in devices.items() for entry, value in self._samples(number, told)
        }
        found[UNREADABLE.at(collector="nvidia")] = float(len(faults))
        return [Block(layout(tuple(found)), list(found.values()))]

    def _samples(self, number: int, told: Mapping[str, Any]) -> Iterator[tuple[Entry, float]]:
        values = told["values"]
        uuid = str(values.get("UUID", number))
        held = self._slow.setdefault(uuid, {})
        held |= {name: value for name, value in values.items() if name in METRICS and METRICS[name] in SLOW}
        labels = {name: str(values[name]) for name in TEXTS if name in values} | {"gpu": str(number)}
        if "device" in labels:
            labels["device"] = f"nvidia{labels['device']}"
        for name, value in {**held, **values}.items():
            if (field := METRICS.get(name)) is not None:
                yield field.metric.at(**labels), float(value) / field.per

    def _note(self, faults: dict[str, str]) -> None:
        """Log what a GPU cannot tell, once for each change."""
        new = {place: why for place, why in faults.items() if self._seen.get(place) != why}
        if new:
            place, why = next(iter(new.items()))
            others = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
            log.warning("collector nvidia: left out: %s: %s%s", place, why, others)
        self._seen = faults


def question(folder: Path, slow: bool) -> bytes:
    """The line that asks for the fields, those that are slow as well or not."""
    fields = {
        each.metric.name: (each.function, each.constants, each.part)
        for each in (*FAST, *(SLOW if slow else ()))
    }
    return json.dumps({"folder": str(folder), "fields": {**TEXTS, **fields}}).encode()
