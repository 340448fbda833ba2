"""Hardware that restarts a host which hangs: /sys/class/watchdog/watchdog<n>, times in seconds.

Linux, Documentation/ABI/testing/sysfs-class-watchdog.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.attributes import names, number, text
from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

FOLDER = "class/watchdog"


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_watchdog_{field}", Kind.GAUGE, text, unit)


FILES = {
    "bootstatus": gauge("bootstatus", "Bits that tell why the host booted."),
    "fw_version": gauge("fw_version", "Version of its firmware."),
    "nowayout": gauge("nowayout", "Whether it cannot be stopped once it runs."),
    "timeleft": gauge("timeleft_seconds", "Time until it restarts the host.", "seconds"),
    "timeout": gauge("timeout_seconds", "Time that it waits for a sign of life.", "seconds"),
    "pretimeout": gauge("pretimeout_seconds", "How long before it gives notice.", "seconds"),
    "access_cs0": gauge("access_cs0", "Whether it booted from the alternate chip."),
}
INFO = gauge("info", "Always 1; the labels tell which watchdog it is.")
PARTS = ("options", "identity", "state", "status", "pretimeout_governor")


class Watchdog:
    every = 5.0

    def collect(self, host: Host) -> Iterator[Block]:
        return told(host)


def told(host: Host) -> Iterator[Block]:
    """What each watchdog tells."""
    found: dict[Entry, float] = {}
    for name in names(host, FOLDER):
        parts = {part: text(host, f"{FOLDER}/{name}/{part}") for part in PARTS}
        found[INFO.at(name=name, **{part: value for part, value in parts.items() if value})] = 1.0
        for file, metric in FILES.items():
            value = number(host, f"{FOLDER}/{name}/{file}")
            if value is not None:
                found[metric.at(name=name)] = value
    if not found:
        raise FileNotFoundError(f"{host.sysfs}/{FOLDER}: no watchdog")
    yield Block(layout(tuple(found)), list(found.values()))
