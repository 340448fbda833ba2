"""The files of processes: /proc/<pid>/..., opened relative to one descriptor of the folder.

A stat is kept open where there is room, which halves the cost of reading it; each takes some 5 KiB of the
kernel's memory.  One that is kept answers ESRCH once its process is gone, and never for another of its pid.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SIZE = 4096
FLAGS = os.O_RDONLY | os.O_CLOEXEC
GONE = (ProcessLookupError, FileNotFoundError)
"""What the kernel says of a process that has ended."""


class Files:
    """Reads files of processes.  `most` is how many may stay open."""

    def __init__(self, procfs: str, most: int) -> None:
        self.procfs = procfs
        self._most = most
        self._kept = 0
        self._folder: int | None = None
        self._sized = False
        """Whether the size of a folder of descriptors is their number, as since Linux 6.2."""
        with suppress(OSError):
            self._sized = Path(procfs, "self/fd").stat().st_size > 0

    def pids(self) -> set[str]:
        """The names of all processes that are seen."""
        return {name for name in os.listdir(self._open_folder()) if name.isdigit()}  # noqa: PTH208  (see Host.names)

    def keep(self, pid: int) -> int | None:
        """The stat of a process, open; None where there is no room."""
        if self._kept >= self._most:
            return None
        descriptor = os.open(f"{pid}/stat", FLAGS, dir_fd=self._open_folder())
        self._kept += 1
        return descriptor

    def release(self, descriptor: int | None) -> None:
        """Close what was kept."""
        if descriptor is not None:
            os.close(descriptor)
            self._kept -= 1

    def read(self, pid: int, name: str) -> bytes:
        """A small file of a process.  Raises OSError as the kernel says."""
        descriptor = os.open(f"{pid}/{name}", FLAGS, dir_fd=self._open_folder())
        try:
            return os.pread(descriptor, SIZE, 0)
        finally:
            os.close(descriptor)

    def descriptors(self, pid: int) -> int | None:
        """How many files a process has open; None where that is not for us to know."""
        if self._sized:
            return os.stat(f"{pid}/fd", dir_fd=self._open_folder()).st_size
        try:
            return len(os.listdir(f"{self.procfs}/{pid}/fd"))  # noqa: PTH208
        except PermissionError:
            return None

    def close(self) -> None:
        """Close the folder; what is kept is its owners' to release."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _open_folder(self) -> int:
        if self._folder is None:
            self._folder = os.open(self.procfs, FLAGS | os.O_DIRECTORY)
        return self._folder
