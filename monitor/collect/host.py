"""The kernel's files of one host: procfs, sysfs and the root, each replaceable.

A file is opened once and read again from its start with pread(2), which costs a tenth of opening it.
"""

from __future__ import annotations

import os

DESCRIPTORS = 256
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

    def fresh(self) -> None:
        """Begin a pass: what was read before is read again."""
        self._texts.clear()

    def close(self) -> None:
        """Close every descriptor; a later read opens anew."""
        for path in list(self._open):
            self._forget(path)

    def _text(self, path: str) -> str:
        text = self._texts.get(path)
        if text is None:
            text = self._texts[path] = self.read(path, SURE).decode(errors="replace")
        return text

    def _read(self, path: str, sure: int) -> bytes:
        descriptor, size = self._open.get(path) or self._opened(path)
        data = os.pread(descriptor, size, 0)
        # A table of the kernel's comes in pieces of a page or less, so only an empty answer is the end.
        while len(data) >= sure and (more := os.pread(descriptor, size, len(data))):
            data += more
        if len(data) >= size:
            self._open[path] = descriptor, 2 * len(data)
        return data

    def _opened(self, path: str) -> tuple[int, int]:
        if len(self._open) >= self._limit:
            self._forget(next(iter(self._open)))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._open[path] = descriptor, 2 * PAGE
        return self._open[path]

    def _forget(self, path: str) -> None:
        descriptor, _ = self._open.pop(path)
        os.close(descriptor)
