"""Room on disk, what has been written to it, and a volume of one's own to count that on."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.options import progress

BLOCK = 512
"""Bytes of a sector, and of what st_blocks counts."""
PATIENCE = 50
"""Tries, a tenth of a second apart."""
MKFS = ("mkfs.ext4", "-q", "-F", "-N", "16384", "-E", "lazy_itable_init=0,lazy_journal_init=0")
"""All is written at once, so that nothing of it comes later and is counted."""


class Volume:
    """A folder and the device that it lies on."""

    def __init__(self, folder: Path, alone: bool) -> None:
        self.folder = folder
        self.alone = alone
        """Whether nobody else writes to the device."""
        self._device = folder.stat().st_dev

    def written(self) -> int:
        """Bytes written to the device so far, what waits in memory too (block/stat.rst: write sectors)."""
        subprocess.run(["sync", "-f", str(self.folder)], check=True)
        place = f"/sys/dev/block/{os.major(self._device)}:{os.minor(self._device)}/stat"
        return int(Path(place).read_text().split()[6]) * BLOCK


@contextmanager
def volume(folder: Path, megabytes: int = 512) -> Iterator[Volume]:
    """An ext4 of its own on a loop device, or just a folder where we may not make one."""
    image, place = folder.with_suffix(".img"), folder
    place.mkdir(parents=True)
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        progress(
            "no loop device (needs root, e2fsprogs): bytes written are what the kernel tells of a process"
        )
        yield Volume(place, alone=False)
        return
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run([*MKFS, str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        yield Volume(place, alone=True)
    finally:
        unmount(place)
        image.unlink()


def unmount(place: Path) -> None:
    """As soon as the children of what ran there have ended."""
    for _ in range(PATIENCE):
        if not subprocess.run(["umount", str(place)], check=False, stderr=subprocess.DEVNULL).returncode:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def size(folder: Path, *patterns: str) -> int:
    """Bytes that the files take on disk: all of them, or those that a pattern matches."""
    found = {path for pattern in patterns or ("**/*",) for path in folder.glob(pattern) if path.is_file()}
    return sum(path.stat().st_blocks * BLOCK for path in found)


def forget(folder: Path) -> None:
    """Take the files out of the page cache, as after a start of the machine."""
    subprocess.run(["sync", "-f", str(folder)], check=True)
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
