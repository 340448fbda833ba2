"""The append-only log of rows that are not in a file of the store yet: they survive a kill and a power cut.

A frame is a head of 28 bytes (`HEAD`) and a body compressed by Zstandard.  Its checksum begins with the
number of the slot, so that what another slot left behind in a file that is used anew is no frame of this one.
The body of a row is what changed since the row before (`Trail`), and each sixtieth row is whole.  Names of
series come in frames of their own before the first row that has them, twice, as all rows stand on them.

Room is asked for before rows need it, and what is brought to the device ends with a page of it: else the file
system's notes on the file, and a page of rows that are there already, would be written each time, too.
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
import zstandard

from monitor.model import Floats, Kind, Labels, Metric
from monitor.storage.tier import Entry
from monitor.storage.trail import Bits, Trail

HEAD = Struct("<4sIIqIHBx")
"""Magic, checksum of what follows it, bytes of the body, time in ms, number of the frame, target, kind."""
MAGIC = b"row\xa5"
CHECKED = 8
"""Where in the head begins what the checksum is about."""
NAMES, OLD_WHOLE, OLD_CHANGE, WHOLE, CHANGE, FILLING = range(6)
"""Kinds of frames.  The old ones are of earlier versions: bits, and bits by exclusive or."""
ROWS = (OLD_WHOLE, OLD_CHANGE, WHOLE, CHANGE)
PAGE = 4096
"""Bytes that a device is given at least."""
ROOM = 1 << 18
"""Bytes that are asked for at once."""
WHOLE_EVERY = 60
NAMED = 256
"""Series that are named in one frame: others wait for the interpreter while it is made."""
NEAR = 60_000
"""Milliseconds between two losses that are told as one."""
LONGEST = 1 << 28
"""Bytes of a body at most: two million series are less."""


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
        self.trail = Trail()
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
        self._end = self._synced = 0
        self._room = os.fstat(self._file).st_size
        """Bytes that the file has, used or not."""
        self._reserved = False
        self._number = self._time = 0
        """Of the newest frame."""
        self._chains: dict[Labels, Chain] = {}
        self._dirty = False
        self.lost: list[tuple[int, int]] = []
        """Times (ms) between which a replay met damage."""
        self._compress = zstandard.ZstdCompressor(level=1).compress

    def write(self, target: Labels, time: int, entries: list[Entry], values: Floats) -> None:
        """One row: the values of all series that this target had in this slot, in the order they came.

        `entries` only ever grows, and `values` has all that are there.
        """
        chain = self._chains.get(target)
        if chain is None:
            chain = self._chains[target] = Chain(len(self._chains))
        try:
            if len(entries) > len(chain.entries) or not chain.rows:
                self._name(chain, target, time, entries)
            self._put_row(chain, time, values.view(np.uint64).ravel())
        except OSError:
            for other in self._chains.values():
                other.trail.forget()
            raise

    def sync(self) -> None:
        """Have it on the disk."""
        if self._dirty:
            self._fill()
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

    def close(self, *, spare: bool = False) -> None:
        """Let go of it, and of the room that it has no use for; `spare` leaves that to who uses it anew."""
        if self._reserved and not spare:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
        os.close(self._file)

    def _name(self, chain: Chain, target: Labels, time: int, entries: list[Entry]) -> None:
        first = len(chain.entries)
        for start in range(first, len(entries), NAMED) or [first]:
            new = entries[start : start + NAMED]
            content = names(target, start, new)
            self._put(NAMES, chain.number, time, content)
            self._put(NAMES, chain.number, time, content)
            chain.entries += new

    def _put_row(self, chain: Chain, time: int, bits: Bits) -> None:
        trail, bits = chain.trail, bits.copy()
        if trail.bits is None or len(trail.bits) != len(bits) or chain.rows % WHOLE_EVERY == 0:
            self._put(WHOLE, chain.number, time, trail.whole(bits))
        else:
            self._put(CHANGE, chain.number, time, trail.change(bits))
        chain.rows += 1

    def _put(self, kind: int, target: int, time: int, content: bytes) -> None:
        self._write(kind, target, time, self._compress(content))

    def _fill(self) -> None:
        """What comes next begins on a page of its own, if as much as came since the last time touches fewer
        pages then."""
        left, size = -self._end % PAGE, self._end - self._synced
        if left >= HEAD.size and pages(size) < 1 + pages(size - left):
            self._write(FILLING, 0, self._time, bytes(left - HEAD.size))
        self._synced = self._end

    def _write(self, kind: int, target: int, time: int, body: bytes) -> None:
        # What fills a page is no row, and not missed where it is lost.
        number = self._number + (kind != FILLING)
        rest = HEAD.pack(MAGIC, 0, len(body), time, number, target, kind)[CHECKED:] + body
        frame = MAGIC + crc32(rest, self._slot).to_bytes(4, "little") + rest
        self._reserve(len(frame))
        if os.pwrite(self._file, frame, self._end) != len(frame):
            raise OSError(28, "no space left for a whole frame", str(self.path))
        self._end += len(frame)
        self._number, self._time, self._dirty = number, time, True

    def _reserve(self, size: int) -> None:
        """Have the file system find room for so many bytes more, or do so when they are written."""
        if self._end + size > self._room:
            with suppress(OSError):
                os.posix_fallocate(self._file, self._end, size + ROOM)
                self._room, self._reserved = self._end + size + ROOM, True

    def _frames(self) -> Iterator[Frame]:
        """The frames of this slot in order."""
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        for place, frame in frames(content, self._slot):
            self._end = place + HEAD.size + len(frame.body)
            self._number, self._time = frame.number, frame.time
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
        self._twin = 0, 0, b""
        """What the next frame is if it only repeats these names: it need not be understood, too."""
        self._decompress = zstandard.ZstdDecompressor().decompress

    def take(self, frame: Frame) -> Row | None:
        """The row of a frame; None where it has none, or one that stands on another that is not there."""
        # What fills a page is no row: it bears the number of the one before it, and so tells of its loss.
        if frame.number != self._number + (frame.kind != FILLING):
            self._lose(self._time or frame.time, frame.time)
            for _, chain in self._chains.values():
                chain.trail.forget()
        self._number, self._time = frame.number, frame.time
        if frame.kind == FILLING:
            return None
        body = self._decompress(frame.body, max_output_size=LONGEST)
        if frame.kind == NAMES:
            if self._twin != (frame.number, frame.target, body):
                self._name(frame.target, *named(body))
            self._twin = frame.number + 1, frame.target, body
            return None
        if frame.target not in self._chains:
            self._lose(frame.time, frame.time)
            return None
        target, chain = self._chains[frame.target]
        bits = row_of(chain.trail, frame.kind, body)
        if bits is None or len(bits) != len(chain.entries) * self._aspects:
            self._lose(frame.time, frame.time)
            return None
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


def row_of(trail: Trail, kind: int, body: bytes) -> Bits | None:
    """A row from what its frame says; None where it stands on one that is not there."""
    if kind == WHOLE:
        return trail.take_whole(body)
    if kind == CHANGE:
        return trail.take_change(body)
    bits: Bits = np.frombuffer(body, np.uint64)
    if kind == OLD_CHANGE:
        before = trail.bits
        if before is None or len(before) != len(bits):
            return None
        bits = bits ^ before
    trail.bits = bits
    return bits


def pages(size: int) -> int:
    """How many hold so many bytes, none where it is less."""
    return max(0, -(-size // PAGE))


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
    metrics: dict[tuple[str, ...], Metric] = {}
    entries = []
    for pairs, *told in rows:
        metric = metrics.get(tuple(told))
        if metric is None:
            name, kind, text, unit = told
            metric = metrics[name, kind, text, unit] = Metric(name, Kind(kind), text, unit)
        entries.append(Entry(labels(pairs), metric))
    return labels(target), first, entries


def labels(pairs: Any) -> Labels:
    return tuple(map(tuple, pairs))


def recycle(log: Log, spare: Path) -> None:
    """Let go of a log whose rows are kept elsewhere; its blocks serve the next, which then need not be found
    and noted by the file system with every sync."""
    log.close(spare=True)
    with suppress(FileNotFoundError):
        if spare.exists():
            log.path.unlink()
        else:
            log.path.rename(spare)
