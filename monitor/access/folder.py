"""The folder of what must stay secret: files that only their owner may read, replaced whole or not at all.

It is below the state folder.  Whoever may read it (the service's own user, and root) rules the service.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "access"
"""Its name below the state folder."""
OTHERS = 0o077
"""Rights of everybody but the owner."""

Stamp = tuple[int, int, int]
"""Changes whenever a file is replaced."""


class AccessError(Exception):
    """The folder cannot be used; the message says why, and what to do."""


class Folder:
    """Each method raises AccessError where the disk or the rights do not allow it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        with self._explained():
            self.path.mkdir(mode=0o700, exist_ok=True)

    def expect(self) -> None:
        """Raises AccessError where there is no folder yet."""
        with self._explained():
            there = self.path.is_dir()
        if not there:
            raise AccessError(
                f"there is no folder {self.path}, which the service makes when it first starts; "
                "start it, or say with --state or --config where its state folder is"
            )

    def read(self, name: str) -> str | None:
        """The text of a file; None where there is none."""
        with self._explained(), suppress(FileNotFoundError), (self.path / name).open() as file:
            if os.fstat(file.fileno()).st_mode & OTHERS:
                raise AccessError(f"{self.path / name} can be read by others: run chmod 600 on it")
            return file.read()
        return None

    def write(self, name: str, text: str, lasting: bool = True) -> None:
        """Put a file in the place of the old one.  What root writes belongs to whoever owns the folder.

        `lasting` waits for the disk, so that a power cut does not bring the old one back.
        """
        with self._explained():
            descriptor, place = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
            temporary = Path(place)
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(text)
                    file.flush()
                    if os.geteuid() == 0:
                        owner = self.path.stat()
                        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                    if lasting:
                        os.fsync(file.fileno())
                temporary.replace(self.path / name)
            except OSError:
                temporary.unlink()
                raise

    def stamp(self, name: str) -> Stamp | None:
        """None where there is no such file."""
        with self._explained():
            try:
                found = os.stat(f"{self.path}/{name}")  # noqa: PTH116  (each second, and a Path costs much more)
            except FileNotFoundError:
                return None
            return found.st_ino, found.st_mtime_ns, found.st_size

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile, as far as all ask here first (flock(2))."""
        self.expect()
        with self._explained():
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AccessError(
                f"cannot use {error.filename or self.path}: {error.strerror}; "
                "only the user of the service and root may"
            ) from error
        except UnicodeDecodeError as error:
            raise AccessError(f"a file in {self.path} is damaged: {error.reason}; remove it") from error
