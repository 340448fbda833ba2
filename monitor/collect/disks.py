"""Whole disks with their sizes and kinds: /sys/block (Linux, Documentation/ABI/stable/sysfs-block).

What has no `device` (loop, RAM, the device mapper, arrays) is made of others or of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from monitor.collect.attributes import names, number, text
from monitor.collect.host import Host

SECTOR = 512
"""Bytes of what sizes are counted in, whatever the disk's own sectors are."""
MOST, LOOKED_AT = 128, 1024
KINDS = ((r"nvme", "NVMe"), (r"sr", "optical"), (r"mmcblk", "flash card"), (r"vd|xvd", "virtual"))
"""What a name tells, as a hypervisor says of its disks that they turn."""
REMOVABLE, SPINS = "removable", "queue/rotational"


class Disk(NamedTuple):
    device: str
    size: float
    """Bytes."""
    kind: str
    """`NVMe`, `SSD`, `HDD`, `virtual`, `removable`, `optical` or `flash card`."""
    model: str
    """Empty where it does not say."""


def disks(host: Host) -> list[Disk]:
    """Sorted by their names, the first 128; a drive without a medium is not there."""
    return list(islice(found(host), MOST))


def found(host: Host) -> Iterator[Disk]:
    for name in names(host, "block")[:LOOKED_AT]:
        folder = f"block/{name}"
        size = number(host, f"{folder}/size")
        if size and "device" in names(host, folder):
            model = text(host, f"{folder}/device/model") or ""
            yield Disk(name.replace("!", "/"), size * SECTOR, kind(host, folder, name), model)


def kind(host: Host, folder: str, name: str) -> str:
    """What sort of disk it is."""
    for pattern, said in KINDS:
        if re.match(pattern, name):
            return said
    if number(host, f"{folder}/{REMOVABLE}"):
        return REMOVABLE
    return "HDD" if number(host, f"{folder}/{SPINS}") else "SSD"
