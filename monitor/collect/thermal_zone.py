"""Temperatures and what cools: /sys/class/thermal/thermal_zone<n> and cooling_device<n>, in 1/1000 Celsius.

Linux, Documentation/driver-api/thermal/sysfs-api.rst.  A zone may ask the firmware, which takes its time.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.attributes import names, number, text
from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

FOLDER = "class/thermal"
TEMPERATURE = Metric("node_thermal_zone_temp", Kind.GAUGE, "Temperature of a zone in Celsius.", "celsius")
CURRENT = Metric("node_cooling_device_cur_state", Kind.GAUGE, "How much a device cools now.")
GREATEST = Metric("node_cooling_device_max_state", Kind.GAUGE, "How much a device can cool.")


class ThermalZone:
    every = 5.0

    def collect(self, host: Host) -> Iterator[Block]:
        return told(host)


def told(host: Host) -> Iterator[Block]:
    """Every zone and device that answers."""
    found: dict[Entry, float | None] = {}
    listed = names(host, FOLDER)
    if not listed:
        raise FileNotFoundError(f"{host.sysfs}/{FOLDER}: nothing that has or lowers a temperature")
    for name in listed:
        kind = text(host, f"{FOLDER}/{name}/type") or ""
        if name.startswith("thermal_zone"):
            degrees = number(host, f"{FOLDER}/{name}/temp")
            zone = TEMPERATURE.at(zone=name.removeprefix("thermal_zone"), type=kind)
            found[zone] = None if degrees is None else degrees / 1000
        elif name.startswith("cooling_device"):
            labels = {"name": name.removeprefix("cooling_device"), "type": kind}
            found[CURRENT.at(**labels)] = number(host, f"{FOLDER}/{name}/cur_state")
            found[GREATEST.at(**labels)] = number(host, f"{FOLDER}/{name}/max_state")
    answered = {entry: value for entry, value in found.items() if value is not None}
    yield Block(layout(tuple(answered)), list(answered.values()))
