"""The append-only log of rows that are not in a file of the store yet: they survive a kill and a power cut.

A frame is a head of 28 bytes (`HEAD`) and a body compressed by Zstandard.  Its checksum begins with the
number of the slot, so that what another slot left behind in a file that is used anew is no frame of this one.
The body of a row is what changed since the row before, bits by exclusive or, and each sixtieth row is whole.
Names of series come in frames of their own before the first row that has them, twice, as all rows stand on
them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
import zstandard

from monitor.model import Floats, Kind, Labels, Metric
from monitor.storage.tier import Entry

HEAD = Struct("<4sIIqIHBx")
"""Magic, checksum of what follows it, bytes of the body, time in ms, number of the frame, target, kind."""
MAGIC = b"row\xa5"
CHECKED = 8
"""Where in the head begins what the checksum is about."""
NAMES, WHOLE, CHANGE = range(3)
WHOLE_EVERY = 60
NEAR = 60_000
"""Milliseconds between two losses that are told as one."""
LONGEST = 1 << 28
"""Bytes of a body at most: two million series are less."""

Bits = npt.NDArray[np.uint64]


class Row(NamedTuple):
    """A row that was logged."""

    target: Labels
    time: int
    entries: list[Entry]
    """The series of its columns; later rows may add to the same list."""
    values: Floats
    """Those of the first series, then of the next; later ones have none in this row."""


class Frame(NamedTuple):
    kind: int
    number: int
    target: int
    time: int
    body: bytes


class Chain:
    """The rows of one target: each stands on the one before."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.entries: list[Entry] = []
        self.before: Bits | None = None
        self.rows = 0


class Log:
    """Written and closed by one thread.  Raises OSError where the disk does not take it; what was written
    before stands, and the next row is whole."""

    def __init__(self, path: Path, slot: int, aspects: int = 1) -> None:
        """`aspects` is how many values a row has of each series."""
        self.path = path
        self._aspects = aspects
        self._slot = slot & 0xFFFFFFFF
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._end = 0
        self._number = 0
        self._chains: dict[Labels, Chain] = {}
        self._dirty = False
        self.lost: list[tuple[int, int]] = []
        """Times (ms) between which a replay met damage."""
        self._compress = zstandard.ZstdCompressor(level=1).compress

    def write(self, target: Labels, time: int, entries: list[Entry], values: Floats) -> None:
        """One row: the values of all series that this target had in this slot, in the order they came.

        `entries` only ever grows, and `values` has all that are there.
        """
        chain = self._chains.setdefault(target, Chain(len(self._chains)))
        try:
            if len(entries) > len(chain.entries) or not chain.rows:
                new = entries[len(chain.entries) :]
                content = names(target, len(chain.entries), new)
                self._put(NAMES, chain.number, time, content)
                self._put(NAMES, chain.number, time, content)
                chain.entries += new
            self._put_row(chain, time, values.view(np.uint64).ravel())
        except OSError:
            for other in self._chains.values():
                other.before = None
            raise

    def sync(self) -> None:
        """Have it on the disk."""
        if self._dirty:
            os.fdatasync(self._file)
            self._dirty = False

    def replay(self) -> Iterator[Row]:
        """The rows that an earlier process wrote; then the log goes on behind them.

        A frame that is damaged, and the rows that stand on it, are left out.
        """
        unrolled = Unrolled(self._aspects)
        for frame in self._frames():
            row = unrolled.take(frame)
            if row:
                yield row
        self.lost = unrolled.lost

    def close(self) -> None:
        os.close(self._file)

    def _put_row(self, chain: Chain, time: int, bits: Bits) -> None:
        before = chain.before
        whole = before is None or len(before) != len(bits) or chain.rows % WHOLE_EVERY == 0
        change = bits if before is None or whole else bits ^ before
        self._put(WHOLE if whole else CHANGE, chain.number, time, change.tobytes())
        chain.before = bits.copy()
        chain.rows += 1

    def _put(self, kind: int, target: int, time: int, content: bytes) -> None:
        body = self._compress(content)
        number = self._number + 1
        rest = HEAD.pack(MAGIC, 0, len(body), time, number, target, kind)[CHECKED:] + body
        frame = MAGIC + crc32(rest, self._slot).to_bytes(4, "little") + rest
        if os.pwrite(self._file, frame, self._end) != len(frame):
            raise OSError(28, "no space left for a whole frame", str(self.path))
        self._end += len(frame)
        self._number, self._dirty = number, True

    def _frames(self) -> Iterator[Frame]:
        """The frames of this slot in order."""
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        for place, frame in frames(content, self._slot):
            self._end = place + HEAD.size + len(frame.body)
            self._number = frame.number
            yield frame


class Unrolled:
    """The rows that frames stand for, met in their order."""

    def __init__(self, aspects: int) -> None:
        self._aspects = aspects
        self._chains: dict[int, tuple[Labels, Chain]] = {}
        self._number = self._time = 0
        """Of the frame before."""
        self.lost: list[tuple[int, int]] = []
        """Times between which frames are missing, or rows that stand on them."""
        self._decompress = zstandard.ZstdDecompressor().decompress

    def take(self, frame: Frame) -> Row | None:
        """The row of a frame; None where it names series, or stands on one that is not there."""
        if frame.number != self._number + 1:
            self._lose(self._time or frame.time, frame.time)
            for _, chain in self._chains.values():
                chain.before = None
        self._number, self._time = frame.number, frame.time
        body = self._decompress(frame.body, max_output_size=LONGEST)
        if frame.kind == NAMES:
            self._name(frame.target, *named(body))
            return None
        if frame.target not in self._chains:
            self._lose(frame.time, frame.time)
            return None
        target, chain = self._chains[frame.target]
        bits = standing_on(chain.before, np.frombuffer(body, np.uint64), whole=frame.kind == WHOLE)
        if bits is None or len(bits) != len(chain.entries) * self._aspects:
            self._lose(frame.time, frame.time)
            return None
        chain.before = bits
        return Row(target, frame.time, chain.entries, bits.view(np.float64))

    def _lose(self, start: int, end: int) -> None:
        """A row is lost in that time; one range for what follows one another."""
        if self.lost and self._time - self.lost[-1][1] <= NEAR:
            self.lost[-1] = self.lost[-1][0], max(end, self.lost[-1][1])
        else:
            self.lost.append((start, end))

    def _name(self, number: int, target: Labels, first: int, entries: list[Entry]) -> None:
        if not first:
            self._chains[number] = target, Chain(number)
        if number in self._chains and len(self._chains[number][1].entries) == first:
            self._chains[number][1].entries += entries


def standing_on(before: Bits | None, bits: Bits, *, whole: bool) -> Bits | None:
    """A row from what changed since the one before; None where that is not this one's."""
    if whole:
        return bits
    return None if before is None or len(before) != len(bits) else bits ^ before


def frames(content: bytes, slot: int) -> Iterator[tuple[int, Frame]]:
    """The frames of a slot in order, and where each begins; what is between them is stepped over."""
    place = content.find(MAGIC)
    while place >= 0:
        frame = frame_at(content, place, slot)
        if frame:
            yield place, frame
            place += HEAD.size + len(frame.body)
        place = content.find(MAGIC, place if frame else place + 1)


def frame_at(content: bytes, place: int, slot: int) -> Frame | None:
    """The frame that begins there; None where none does."""
    if place + HEAD.size > len(content):
        return None
    _, checksum, length, time, number, target, kind = HEAD.unpack_from(content, place)
    end = place + HEAD.size + length
    if end > len(content) or crc32(content[place + CHECKED : end], slot) != checksum:
        return None
    return Frame(kind, number, target, time, content[place + HEAD.size : end])


def names(target: Labels, first: int, entries: list[Entry]) -> bytes:
    """What the columns from `first` on are."""
    rows = [
        (entry.labels, entry.metric.name, entry.metric.kind, entry.metric.help, entry.metric.unit)
        for entry in entries
    ]
    return json.dumps([target, first, rows], separators=(",", ":")).encode()


def named(body: bytes) -> tuple[Labels, int, list[Entry]]:
    """The target, the first column, and what the columns from there on are."""
    target, first, rows = json.loads(body)
    entries = [
        Entry(labels(pairs), Metric(name, Kind(kind), help_, unit)) for pairs, name, kind, help_, unit in rows
    ]
    return labels(target), first, entries


def labels(pairs: Any) -> Labels:
    return tuple((name, value) for name, value in pairs)


def recycle(log: Log, spare: Path) -> None:
    """Let go of a log whose rows are kept elsewhere; its blocks serve the next, which then need not be found
    and noted by the file system with every sync."""
    log.close()
    with suppress(FileNotFoundError):
        if spare.exists():
            log.path.unlink()
        else:
            log.path.rename(spare)
