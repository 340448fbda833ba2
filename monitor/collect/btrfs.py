"""Btrfs file systems: /sys/fs/btrfs/<uuid>, sizes in bytes, those of devices in sectors of 512.

Linux, fs/btrfs/sysfs.c; commit_stats came with Linux 6.1 and has milliseconds.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/fs/btrfs/*-*"
TYPES = ("data", "metadata", "system")
SECTOR = 512
PLAIN = {"single": 1, "raid0": 1, "dup": 2, "raid1": 2, "raid10": 2, "raid1c3": 3, "raid1c4": 4}
"""Copies that a profile keeps of each byte."""
PARITY = {"raid5": 1, "raid6": 2}
"""Devices whose worth a profile spends on parity."""


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_btrfs_{field}", Kind.GAUGE, text, unit)


INFO = gauge("info", "Always 1; the label of a file system.")
RESERVE = gauge("global_rsv_size_bytes", "Size of the global reserve.", "bytes")
DEVICE = gauge("device_size_bytes", "Size of a device of a file system.", "bytes")
RESERVED = gauge("reserved_bytes", "Bytes reserved for a kind of block group.", "bytes")
USED = gauge("used_bytes", "Bytes used by a kind of block group.", "bytes")
SIZE = gauge("size_bytes", "Bytes that a kind of block group has room for.", "bytes")
RATIO = gauge("allocation_ratio", "Bytes on the devices for each byte of a kind of block group.")
COMMITS = {
    "commits": (Metric("node_btrfs_commits_total", Kind.COUNTER, "Commits done."), 1),
    "last_commit_ms": (gauge("last_commit_seconds", "Time of the last commit.", "seconds"), 1000),
    "max_commit_ms": (gauge("max_commit_seconds", "Time of the slowest commit.", "seconds"), 1000),
    "total_commit_ms": (
        Metric("node_btrfs_commit_seconds_total", Kind.COUNTER, "Time of all commits.", "seconds"),
        1000,
    ),
}


class Btrfs(Devices):
    wanted = (
        (FOLDER, ("label", "commit_stats")),
        (f"{FOLDER}/allocation", ("global_rsv_size",)),
        *((f"{FOLDER}/allocation/{kind}", ("bytes_reserved",)) for kind in TYPES),
        *((f"{FOLDER}/allocation/{kind}/*", ("used_bytes", "total_bytes")) for kind in TYPES),
        (f"{FOLDER}/devices/*", ("size",)),
    )

    def samples(self, tree: Tree) -> Samples:
        devices = list(tree.each(f"{FOLDER}/devices/*"))
        for uuid, path in tree.each(FOLDER):
            own = [(name, device) for name, device in devices if device.startswith(path + "/")]
            yield INFO.at(uuid=uuid, label=tree.text(f"{path}/label")), 1.0
            if (size := tree.number(f"{path}/allocation/global_rsv_size")) is not None:
                yield RESERVE.at(uuid=uuid), size
            for device, folder in own:
                if (size := tree.number(f"{folder}/size")) is not None:
                    yield DEVICE.at(uuid=uuid, device=device), size * SECTOR
            yield from commits(tree.text(f"{path}/commit_stats"), uuid)
            yield from allocations(tree, path, uuid, len(own))


def commits(text: str, uuid: str) -> Samples:
    """What `name number` lines tell of commits."""
    for name, _, value in (line.partition(" ") for line in text.splitlines()):
        if name in COMMITS:
            metric, per = COMMITS[name]
            yield metric.at(uuid=uuid), float(value) / per


def allocations(tree: Tree, path: str, uuid: str, devices: int) -> Samples:
    """What each kind of block group has, by the profile that it is kept in."""
    for kind in TYPES:
        if (reserved := tree.number(f"{path}/allocation/{kind}/bytes_reserved")) is not None:
            yield RESERVED.at(uuid=uuid, block_group_type=kind), reserved
        for mode, folder in tree.each(f"{FOLDER}/allocation/{kind}/*"):
            if not folder.startswith(path + "/"):
                continue
            labels = {"uuid": uuid, "block_group_type": kind, "mode": mode}
            for metric, name in ((USED, "used_bytes"), (SIZE, "total_bytes")):
                if (value := tree.number(f"{folder}/{name}")) is not None:
                    yield metric.at(**labels), value
            if ratio := copies(mode, devices):
                yield RATIO.at(**labels), ratio


def copies(mode: str, devices: int) -> float:
    """Bytes on the devices for one byte; 0 where that cannot be told."""
    if mode in PARITY and devices > PARITY[mode]:
        return devices / (devices - PARITY[mode])
    return PLAIN.get(mode, 0)
