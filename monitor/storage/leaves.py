"""Rows out of the pages of a SQLite file, without SQLite: what can still be read of a damaged file.

The format is that of https://www.sqlite.org/fileformat2.html, sections 1.6 (b-tree pages) and 2.1 (records).
Every page is taken for a leaf of a table, whatever it says it is, and as many rows are tried as its pointers
may have room for: which of them are rows indeed is told by their seals.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from monitor.storage.schema import Row, Value

_LONGEST = 64
"""Bytes of the head of a row; none of ours has more."""
_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""Bytes of a value by its serial type, below those of bytes and text."""


class Leaves:
    """The pages of one file, of so many bytes each.  Raises OSError where they cannot be read at all."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self._local = size - 35
        """Bytes of a row that a leaf holds at most; what is beyond lies in a chain of overflow pages."""
        self._least = (size - 12) * 32 // 255 - 23

    def __enter__(self) -> Leaves:
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self.count = -(-os.fstat(self._file).st_size // self._size)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def rows(self, number: int) -> Iterator[Row]:
        """What may be a row of the page with this number, counted from 1: its id and its values."""
        page = self._page(number)
        if len(page) < 108:
            return
        head = 100 if number == 1 else 0
        [counted] = struct.unpack_from(">H", page, head + 3)
        place, end, tried = head + 8, len(page) - 1, 0
        # Pointers grow upwards from the head of a page and rows downwards from its end.
        while place < end or (tried < counted and place < len(page) - 1):
            [pointer] = struct.unpack_from(">H", page, place)
            place, tried = place + 2, tried + 1
            if pointer >= place:
                try:
                    row = self._row(page, pointer)
                except (IndexError, ValueError, struct.error):
                    continue
                end = min(end, pointer)
                yield row

    def _page(self, number: int) -> bytes:
        return os.pread(self._file, self._size, (number - 1) * self._size)

    def _row(self, page: bytes, place: int) -> Row:
        length, place = _varint(page, place)
        number, place = _varint(page, place)
        types, start = _types(page, place)
        # Checked before anything is followed: what is no row hardly ever adds up.
        if start - place + sum(map(_width, types)) != length:
            raise ValueError(f"a row of {length} bytes whose values do not add up to it")
        return (number, *_values(self._payload(page, place, length), types, start - place))

    def _payload(self, page: bytes, place: int, length: int) -> bytes:
        if length <= self._local:
            return page[place : place + length]
        least = self._least + (length - self._least) % (self._size - 4)
        local = least if least <= self._local else self._least
        parts, left = [page[place : place + local]], length - local
        [follow] = struct.unpack_from(">I", page, place + local)
        while left > 0:
            if not 0 < follow <= self.count:
                raise ValueError(f"a row that goes on in page {follow}, expected {self.count} at most")
            more = self._page(follow)
            [follow] = struct.unpack_from(">I", more)
            parts.append(more[4 : 4 + left])
            left -= self._size - 4
        return b"".join(parts)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of up to nine bytes, and where it ends."""
    number = 0
    for _ in range(8):
        byte = data[place]
        place += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place
    return number << 8 | data[place], place + 1


def _types(data: bytes, place: int) -> tuple[list[int], int]:
    """The serial types of a record's values, and where the first value begins."""
    length, begin = _varint(data, place)
    if length > _LONGEST:
        raise ValueError(f"a row with a head of {length} bytes, expected {_LONGEST} at most")
    types = []
    while begin < place + length:
        kind, begin = _varint(data, begin)
        types.append(kind)
    return types, begin


def _width(kind: int) -> int:
    """Bytes of a value by its serial type."""
    return _WIDTHS[kind] if kind < len(_WIDTHS) else (kind - 12) // 2


def _values(record: bytes, types: list[int], place: int) -> list[Value]:
    """The values of a record but for the first, which stands for the id and is NULL."""
    values = []
    for kind in types:
        end = place + _width(kind)
        if end > len(record):
            raise ValueError("a value beyond the end of its row")
        values.append(_value(kind, record[place:end]))
        place = end
    return values[1:]


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind == 7:
        [number] = struct.unpack(">d", data)
        return float(number)
    if kind >= 12:
        return data
    return kind - 8 if kind >= 8 else int.from_bytes(data, "big", signed=True)
