"""The kernel's files of one host: procfs, sysfs and the root, each replaceable.

A file is opened once and read again from its start with pread(2), which costs a tenth of opening it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.collect.workers import Pool, Turns

DESCRIPTORS = 512
PROGRAM = Path(__file__).with_name("files.py")
PAGE = 4096
SURE = PAGE // 4
"""The kernel ends a piece before a line that does not fit into the page, and the tables read as text have
no line of three quarters of a page."""


class Host:
    """Reads the files of a host.  Within a pass (see `fresh`) each file is read once, whoever asks.

    Raises what the kernel answers: FileNotFoundError, PermissionError or another OSError, with the path.
    """

    def __init__(
        self, procfs: str = "/proc", sysfs: str = "/sys", rootfs: str = "/", descriptors: int = DESCRIPTORS
    ) -> None:
        self.procfs = procfs.rstrip("/")
        self.sysfs = sysfs.rstrip("/")
        self.rootfs = rootfs.rstrip("/")
        self._limit = descriptors
        self._open: dict[str, tuple[int, int]] = {}  # path: descriptor, bytes to ask for
        self._texts: dict[str, str] = {}
        self._before: dict[str, str] = {}  # Those of the pass before.
        self._keeps = True
        self._swept = False
        self.now = 0.0
        """Unix time of the pass, in seconds."""
        self.reader = Turns(Pool(PROGRAM))
        """Reads files whose driver may take its time, in a process of its own (monitor.collect.files)."""

    def proc(self, path: str) -> str:
        """The text of a file below procfs.  Raises ValueError when it ends within a line."""
        text = self._text(f"{self.procfs}/{path}")
        if not text.endswith("\n"):
            raise ValueError(
                f"{self.procfs}/{path}: whole lines expected, and it is cut off after {text[-40:]!r}"
            )
        return text

    def sys(self, path: str) -> str:
        """The text of a file below sysfs."""
        return self._text(f"{self.sysfs}/{path}")

    def root(self, path: str) -> str:
        """Where an absolute path of the host is found by this process."""
        return self.rootfs + path

    def names(self, folder: str) -> list[str]:
        """What a folder holds, by its full path, sorted."""
        return sorted(os.listdir(folder))  # noqa: PTH208  (a Path for each costs ten times that)

    def read(self, path: str, sure: int = 0) -> bytes:
        """The bytes of a file by its full path, read now; a first piece shorter than `sure` is all of it."""
        try:
            return self._read(path, sure)
        except OSError:
            # What a kernel file system removed answers ENODEV or ESRCH for ever; its name may be back.
            if path not in self._open:
                raise
            self._forget(path)
            return self._read(path, sure)

    def fresh(self, now: float = 0.0) -> None:
        """Begin a pass at a Unix time in seconds: what was read before is read again."""
        self._before, self._texts = self._texts, {}
        self._swept = False
        self.now = now

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Within it a file that is not open is closed again once it was read: for what is read seldom."""
        self._keeps = False
        try:
            yield
        finally:
            self._keeps = True

    def close(self) -> None:
        """Close every descriptor and end the reader; a later read opens anew."""
        self.reader.close()
        for path in list(self._open):
            self._forget(path)

    def _text(self, path: str) -> str:
        text = self._texts.get(path)
        if text is None:
            text = self._texts[path] = self.read(path, SURE).decode(errors="replace")
        return text

    def _read(self, path: str, sure: int) -> bytes:
        descriptor, size = self._open.get(path) or self._opened(path)
        try:
            data = os.pread(descriptor, size, 0)
            # A table of the kernel's comes in pieces of a page or less, so only an empty answer is the end.
            while len(data) >= sure and (more := os.pread(descriptor, size, len(data))):
                data += more
        finally:
            if path not in self._open:
                os.close(descriptor)
        if len(data) >= size and path in self._open:
            self._open[path] = descriptor, 2 * len(data)
        return data

    def _opened(self, path: str) -> tuple[int, int]:
        """The file, kept open where there is room."""
        keeps = self._keeps and self._room()
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC), 2 * PAGE
        if keeps:
            self._open[path] = opened
        return opened

    def _room(self) -> bool:
        """Whether one more file may stay open.  Those that were not read in this pass or the one before make
        room, looked for once in a pass; a host with more files than that opens the rest each time."""
        if len(self._open) >= self._limit and not self._swept:
            self._swept = True
            for path in self._open.keys() - self._texts.keys() - self._before.keys():
                self._forget(path)
        return len(self._open) < self._limit

    def _forget(self, path: str) -> None:
        descriptor, _ = self._open.pop(path)
        os.close(descriptor)
