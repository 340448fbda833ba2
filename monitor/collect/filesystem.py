"""Room on the mounted file systems: the mount table of /proc/1/mounts (fstab(5) fields) and statvfs(3).

statvfs is asked of a worker process, because a dead mount never answers.  All are asked together, and one by
one where that takes long.  A dead one is marked with device_error 1 and not asked again before its call
returned; the others go on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from monitor.collect.exclude import excluder
from monitor.collect.host import Host
from monitor.collect.mount_info import devices
from monitor.collect.table import layout
from monitor.collect.workers import MOST, BusyError, Pool
from monitor.model import Block, Kind, Layout, Metric

EVERY = 5.0
TIMEOUT = 5.0
PATIENCE = 0.25
"""Seconds after which the next file system is asked beside one that has not answered yet."""
MOUNT_POINTS_EXCLUDE = (
    r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
)
FS_TYPES_EXCLUDE = (
    r"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs"
    r"|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
)
PROGRAM = Path(__file__).with_name("statvfs.py")
ESCAPE = re.compile(rb"\\([0-7]{3})")


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_filesystem_{field}", Kind.GAUGE, text, unit)


SIZES = (
    gauge("size_bytes", "Size of the file system.", "bytes"),
    gauge("free_bytes", "Bytes free, those kept for root among them.", "bytes"),
    gauge("avail_bytes", "Bytes free to all users.", "bytes"),
    gauge("files", "Inodes in all."),
    gauge("files_free", "Inodes free."),
)
READONLY = gauge("readonly", "Whether it is mounted read-only.")
INFO = gauge("mount_info", "Always 1; the labels tell the block device behind a mount.")
ERROR = gauge("device_error", "Whether it could not be asked, or did not answer in time.")


class Mount(NamedTuple):
    device: str
    point: bytes
    fstype: str
    readonly: bool

    def labels(self) -> dict[str, str]:
        return {"device": self.device, "mountpoint": self.place, "fstype": self.fstype}

    @property
    def place(self) -> str:
        """The mount point as text."""
        return self.point.decode(errors="replace")


class Filesystem:
    """All mounts but those left out by their place or type (an empty pattern leaves out none), every few
    seconds; `timeout` is for one mount."""

    def __init__(
        self,
        every: float = EVERY,
        timeout: float = TIMEOUT,
        mount_points_exclude: str = MOUNT_POINTS_EXCLUDE,
        fs_types_exclude: str = FS_TYPES_EXCLUDE,
        pool: Pool | None = None,
    ) -> None:
        self.every = every
        self.limit = timeout + (MOST + 2) * PATIENCE
        self._timeout = timeout
        self._point_excluded = excluder(mount_points_exclude)
        self._type_excluded = excluder(fs_types_exclude)
        self._pool = pool or Pool(PROGRAM)
        self._calls: dict[bytes, asyncio.Future[bytes]] = {}  # One at a time for each mount point.

    async def refresh(self, host: Host) -> list[Block]:
        """Ask every mount; at most `limit` seconds."""
        wanted = [mount for mount in mounts(table(host)) if not self._excluded(mount)]
        answers = await self._ask({mount.point: host.root("").encode() + mount.point for mount in wanted})
        sizes = [answers.get(mount.point, ()) for mount in wanted]
        values: list[float] = []
        for mount, size in zip(wanted, sizes, strict=True):
            values += [not size, mount.readonly, *size]
        return [Block(shape(tuple(zip(wanted, map(bool, sizes), strict=True))), values), infos(host, wanted)]

    async def close(self) -> None:
        """End the workers, as far as they can be ended."""
        self._pool.close()

    def _excluded(self, mount: Mount) -> bool:
        return self._point_excluded(mount.place) or self._type_excluded(mount.fstype)

    async def _ask(self, paths: Mapping[bytes, bytes]) -> dict[bytes, tuple[float, ...]]:
        """The sizes of each mount that answered, by its mount point."""
        # The others are still held by the kernel since an earlier time.
        free = {point: path for point, path in paths.items() if point not in self._calls}
        answers = await self._together(free)
        if not answers:
            await self._one_by_one(free)
        answers |= {point: told(call) for point, call in self._calls.items() if call.done()}
        for point in answers:
            self._calls.pop(point, None)
        return answers

    async def _together(self, paths: Mapping[bytes, bytes]) -> dict[bytes, tuple[float, ...]]:
        """The sizes of all by one question, which wakes the worker and us but once; nothing where it is not
        answered soon, as one of them hangs."""
        if not paths:
            return {}
        try:
            call = self._pool.ask(b" ".join(path.hex().encode() for path in paths.values()))
        except BusyError:
            return {}
        await asyncio.wait([call], timeout=PATIENCE)
        if not call.done() or call.exception():
            return {}
        return dict(zip(paths, map(numbers, call.result().split(b";")), strict=True))

    async def _one_by_one(self, paths: Mapping[bytes, bytes]) -> None:
        """Ask each by itself, so that one that hangs is known and holds up no other."""
        calls: list[asyncio.Future[bytes]] = []
        for point, path in paths.items():
            try:
                call = self._calls[point] = self._pool.ask(path.hex().encode())
            except BusyError:
                continue  # Not asked is not answered.
            calls.append(call)
            await asyncio.wait([call], timeout=PATIENCE)
        if late := [call for call in calls if not call.done()]:
            await asyncio.wait(late, timeout=self._timeout)


def told(call: asyncio.Future[bytes]) -> tuple[float, ...]:
    """The sizes that a worker answered; nothing where it ended instead."""
    return () if isinstance(call.exception(), ConnectionError) else numbers(call.result())


def numbers(answer: bytes) -> tuple[float, ...]:
    """The sizes of one mount; nothing for an error."""
    words = answer.split()
    return () if words[0] == b"error" else tuple(map(float, words))


def table(host: Host) -> bytes:
    """The mount table that the first process sees, as a service may live in a mount name space of its own;
    this process's where that one cannot be read."""
    try:
        return host.read(f"{host.procfs}/1/mounts")
    except OSError:
        return host.read(f"{host.procfs}/self/mounts")


@lru_cache(maxsize=4)
def mounts(table: bytes) -> tuple[Mount, ...]:
    """The mounts of a table, each once, in its order.  Raises ValueError for a line that is none."""
    found: dict[tuple[str, bytes, str], Mount] = {}
    # A carriage return is not escaped, and may stand within a name.
    for line in table.removesuffix(b"\n").split(b"\n") if table else ():
        fields = [unescaped(field) for field in line.split(b" ")]
        if len(fields) < 4:
            raise ValueError(f"mounts: device, mount point, type and options expected, found {line!r}")
        names = fields[0].decode(errors="replace"), fields[1], fields[2].decode(errors="replace")
        found.setdefault(names, Mount(*names, readonly=b"ro" in fields[3].split(b",")))
    return tuple(found.values())


def unescaped(field: bytes) -> bytes:
    r"""A field of the mount table, where blanks and backslashes are written in octal: `\040`."""
    return ESCAPE.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), field)


def infos(host: Host, mounts: Sequence[Mount]) -> Block:
    """The device behind each mount, where the kernel tells."""
    known = devices(host, unescaped)
    found = [(mount, *known[mount.point]) for mount in mounts if mount.point in known]
    entries = [
        INFO.at(device=mount.device, mountpoint=mount.place, major=major, minor=minor)
        for mount, major, minor in found
    ]
    entries = list(dict.fromkeys(entries))
    return Block(layout(tuple(entries)), [1.0] * len(entries))


@lru_cache(maxsize=4)
def shape(mounts: tuple[tuple[Mount, bool], ...]) -> Layout:
    """Two series for each mount, and its sizes where it answered."""
    return Layout(
        metric.at(**mount.labels())
        for mount, answered in mounts
        for metric in (ERROR, READONLY, *(SIZES if answered else ()))
    )
