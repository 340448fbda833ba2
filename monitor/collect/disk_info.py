"""What udev knows of the block devices: /run/udev/data/b<major>:<minor>, lines `E:NAME=value` (udev(7))."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from monitor.collect.attributes import text
from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Layout, Metric

FOLDER = "/run/udev/data"


class Device(NamedTuple):
    name: str
    major: str
    minor: str
    rotational: str
    """1 for a disk that turns, 0 for one that does not, empty for what is no whole disk."""


def rotational(host: Host, name: str) -> str:
    """What the kernel knows of a disk; its folder has `!` where its name has a slash."""
    with host.passing():
        return text(host, f"block/{name.replace('/', '!')}/queue/rotational") or ""


def gauge(field: str, about: str) -> Metric:
    return Metric(f"node_disk_{field}", Kind.GAUGE, about)


INFO = gauge("info", "Always 1; the labels tell which disk it is.")
FILESYSTEM = gauge("filesystem_info", "Always 1; the labels tell the file system on the device.")
FILESYSTEM_PARTS = ("type", "usage", "uuid", "version")
MAPPER = gauge("device_mapper_info", "Always 1; the labels tell what the device mapper made.")
MAPPER_PARTS = ("name", "uuid", "vg_name", "lv_name", "lv_layer")
ATA = {
    "ID_ATA_WRITE_CACHE": gauge("ata_write_cache", "Whether an ATA disk has a write cache."),
    "ID_ATA_WRITE_CACHE_ENABLED": gauge("ata_write_cache_enabled", "Whether its write cache is on."),
    "ID_ATA_ROTATION_RATE_RPM": gauge("ata_rotation_rate_rpm", "Turns a minute of an ATA disk; 0 for flash."),
}


class DiskInfo:
    """Keeps what was read, and reads again when the devices changed or udev wrote: it renames each file
    into place, which moves the time of the folder."""

    def __init__(self) -> None:
        self._seen: tuple[Layout, int] | None = None
        self._block = Block(layout(()), ())

    def block(self, host: Host, measured: Layout, devices: Callable[[], Sequence[Device]]) -> Block:
        """One info for each device; what was measured stands for the set of devices."""
        seen = measured, changed(host.root(FOLDER))
        if seen != self._seen:
            folder = Path(host.root(FOLDER))
            found = [entry for device in devices() for entry in entries(device, properties(folder, device))]
            self._block = Block(layout(tuple(entry for entry, _ in found)), [value for _, value in found])
            self._seen = seen
        return self._block


def changed(folder: str) -> int:
    """When the folder's list of files changed last, in ns; 0 where there is no such folder."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116  (asked in each pass, and a Path costs five times that)
    except OSError:
        return 0


def properties(folder: Path, device: Device) -> dict[str, str]:
    """What udev noted of a device; nothing where it noted nothing."""
    try:
        text = (folder / f"b{device.major}:{device.minor}").read_text(errors="replace")
    except OSError:
        return {}
    lines = [line[2:].partition("=") for line in text.splitlines() if line.startswith("E:")]
    return {name: value for name, _, value in lines}


def entries(device: Device, known: dict[str, str]) -> Iterator[tuple[Entry, float]]:
    """The series of one device."""
    named = {"device": device.name}
    disk = {label: known.get(f"ID_{label.upper()}", "") for label in ("path", "wwn", "model", "revision")}
    disk["serial"] = known.get("ID_SERIAL_SHORT", "")
    if device.rotational:
        disk["rotational"] = device.rotational
    yield INFO.at(**named, major=device.major, minor=device.minor, **disk), 1.0
    if known.get("ID_FS_TYPE"):
        labels = {part: known.get(f"ID_FS_{part.upper()}", "") for part in FILESYSTEM_PARTS}
        yield FILESYSTEM.at(**named, **labels), 1.0
    if known.get("DM_NAME"):
        labels = {part: known.get(f"DM_{part.upper()}", "") for part in MAPPER_PARTS}
        yield MAPPER.at(**named, **labels), 1.0
    if known.get("ID_ATA"):
        for name, metric in ATA.items():
            if known.get(name, "").isdigit():
                yield metric.at(**named), float(known[name])
