"""What network drivers count, each by names of its own (ethtool(8), `ethtool -S` and `ethtool -i`).

The drivers are asked by a process of its own (monitor.collect.drivers), as they may take their time.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from monitor.collect.exclude import excluder
from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.collect.workers import Pool, Turns
from monitor.model import Block, Kind, Metric

log = logging.getLogger(__name__)

EVERY = 5.0
TIMEOUT = 5.0
PROGRAM = Path(__file__).with_name("drivers.py")
SILENT = {errno.EOPNOTSUPP, errno.ENODEV, errno.EAGAIN}
"""A device that has no such numbers, is gone since it was listed, or gets more of them just now."""
INFO = Metric("node_ethtool_info", Kind.GAUGE, "Always 1; the labels tell which driver a network device has.")
TOTALS = ("rx_bytes", "rx_dropped", "rx_errors", "rx_packets", "tx_bytes", "tx_errors", "tx_packets")
"""Those that node_exporter gives the ending of a counter."""
INVALID = re.compile(r"_*[^0-9A-Za-z_]+_*")
RECEIVED, TRANSMITTED = re.compile(r"(^|_)rx(_|$)"), re.compile(r"(^|_)tx(_|$)")


class Ethtool:
    """All devices but those whose name matches a pattern (an empty one leaves out none), and of their numbers
    those whose name matches another."""

    def __init__(
        self,
        every: float = EVERY,
        timeout: float = TIMEOUT,
        devices_exclude: str = "",
        metrics_include: str = ".*",
        pool: Pool | None = None,
    ) -> None:
        self.every = every
        self.limit = timeout
        self._excluded = excluder(devices_exclude)
        self._included = re.compile(metrics_include)
        self._drivers = Turns(pool or Pool(PROGRAM))
        self._failing: set[str] = set()

    async def refresh(self, host: Host) -> list[Block]:
        """Ask all devices; at most `limit` seconds."""
        names = os.listdir(f"{host.sysfs}/class/net")  # noqa: PTH208
        devices = sorted(name for name in names if not self._excluded(name))
        told: dict[str, Any] = json.loads(await self._drivers.ask(json.dumps(devices).encode()))
        self._note({device: each["errors"] for device, each in told.items()})
        found = {
            entry: value for device, each in told.items() for entry, value in self._samples(device, each)
        }
        if not found:
            raise FileNotFoundError(errno.ENOENT, "no network device that tells", f"{host.sysfs}/class/net")
        return [Block(layout(tuple(found)), list(found.values()))]

    async def close(self) -> None:
        """End the process that asks."""
        self._drivers.close()

    def _samples(self, device: str, told: dict[str, dict[str, Any]]) -> list[tuple[Entry, float]]:
        info = [(INFO.at(device=device, **told["info"]), 1.0)] if told["info"] else []
        counts = [
            (metric(name).at(device=device), float(value))
            for name, value in told["counts"].items()
            if name and self._included.search(name)
        ]
        return info + counts

    def _note(self, errors: dict[str, dict[str, int]]) -> None:
        """Log a device that fails, once for each time that it begins to."""
        failing = {
            device: number for device, each in errors.items() for number in set(each.values()) - SILENT
        }
        for device in failing.keys() - self._failing:
            log.warning("collector ethtool: left out: %s: %s", device, os.strerror(failing[device]))
        self._failing = set(failing)


@cache
def metric(name: str) -> Metric:
    """The metric of a driver's name for a number."""
    field = INVALID.sub("_", name).lower().lstrip("_")
    field = RECEIVED.sub(r"\1received\2", field)
    field = TRANSMITTED.sub(r"\1transmitted\2", field) + ("_total" if name in TOTALS else "")
    return Metric(
        f"node_ethtool_{field}", Kind.UNKNOWN, f"{name} as the driver of a network device counts it."
    )
