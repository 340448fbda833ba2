"""The bytes of a file that is written meanwhile, without waiting for a disk (RWF_NOWAIT in preadv(2))."""

from __future__ import annotations

import errno
import os
import sys
from array import array


class Content:
    """A file that is open."""

    def __init__(self, path: str) -> None:
        """Raises OSError, PermissionError among them."""
        if sys.byteorder != "little":
            raise FileNotFoundError(
                errno.ENOSYS, "read where numbers begin with their lowest byte only", path
            )
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._flags = os.RWF_NOWAIT
        self.inode = os.fstat(self._descriptor).st_ino

    def close(self) -> None:
        os.close(self._descriptor)

    def bytes(self, place: int, size: int) -> bytes:
        """So many bytes from a place on.

        Raises ValueError where the file ends before, and BlockingIOError where they are not in memory: they
        are asked for, and are there when they are read again later.
        """
        data = bytearray(size)
        self._fill(data, place, size)
        return bytes(data)

    def words(self, place: int, size: int) -> array[int]:
        """The whole numbers of eight bytes, lowest first, in so many bytes; raises as `bytes` does."""
        data = array("Q", bytes(size))
        self._fill(data, place, size)
        return data

    def _fill(self, data: bytearray | array[int], place: int, size: int) -> None:
        try:
            found = os.preadv(self._descriptor, [data], place, self._flags)
        except BlockingIOError:
            found = 0
        except OverflowError as error:
            raise self.lie(f"a place in it expected, found {place}") from error
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP or not self._flags:
                raise
            self._flags = 0  # A file system that cannot tell, such as that of /run before Linux 6.6.
            return self._fill(data, place, size)
        if found < size:
            self._missing(place, size)
        return None

    def _missing(self, place: int, size: int) -> None:
        if os.fstat(self._descriptor).st_size < place + size:
            raise self.lie(f"{size} bytes expected at {place}, it ends before")
        os.posix_fadvise(self._descriptor, place, size, os.POSIX_FADV_WILLNEED)
        raise BlockingIOError(errno.EAGAIN, "not in memory yet", self.path)

    def lie(self, why: str) -> ValueError:
        """What is wrong with the file."""
        return ValueError(f"{self.path}: {why}")
