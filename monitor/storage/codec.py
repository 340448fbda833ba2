"""One column of a slot, small: a constant as a number, all else by pcodec, bit for bit.

A cell is None (no sample), a number (the same in every row), or bytes: a byte of flags, the header of
pcodec's format where it is not the usual one, the rows where the column changes between present and absent,
and what is present in pcodec's wrapped format (docs.rs/pco), as int64 where that says the same as float64.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig  # type: ignore[import-untyped]
from pcodec.wrapped import FileCompressor, FileDecompressor  # type: ignore[import-untyped]

from monitor.model import Floats, Times
from monitor.storage import STALE_BITS, is_stale

Cell = float | bytes | None

NOTHING = b""
"""For an aspect without a sample, where None would say that it is the same as another."""
MOST = 1 << 18
"""Rows of a column: as many as pcodec puts into one page."""

REMEMBERED = 4096
"""Slots whose times are known to be regular or not."""

_CONFIG = ChunkConfig(compression_level=8)
_COMPRESSOR = FileCompressor()
_HEADER = _COMPRESSOR.write_header()
_USUAL = b"\x04\x01"
"""The header that pcodec 1.1 writes; it is not repeated in every cell."""
_DECOMPRESSOR = FileDecompressor.new(_USUAL)[0]
_WHOLE, _GAPS, _OTHER = 1, 2, 4
_BITMAP = 255
_EXACT = 2.0**53


def encode(column: Floats) -> Cell:
    """A column (n,) with the stale NaN where there is no sample; n is MOST at most."""
    absent = is_stale(column)
    gaps = bool(absent.any())
    if gaps and absent.all():
        return None
    present = column[~absent] if gaps else np.ascontiguousarray(column)
    bits = present.view(np.int64)
    if not gaps and not np.isnan(present[0]) and (bits == bits[0]).all():
        return _number(float(present[0]))
    with np.errstate(invalid="ignore"):
        whole = present.astype(np.int64)
    flags = _WHOLE if (whole.astype(np.float64).view(np.int64) == bits).all() else 0
    chunk = _COMPRESSOR.chunk_compressor(whole if flags else present, _CONFIG)
    head = bytes([flags | (_GAPS if gaps else 0) | (_OTHER if _HEADER != _USUAL else 0)])
    header = b"" if _HEADER == _USUAL else _HEADER
    return b"".join((head, header, _pack(absent) if gaps else b"", chunk.write_meta(), chunk.write_page(0)))


def decode(cell: Cell, rows: int) -> Floats:
    """What `encode` was given, of that many rows; the array is the caller's to write to."""
    if cell is None:
        return np.full(rows, STALE_BITS, np.int64).view(np.float64)
    if not isinstance(cell, bytes):
        return np.full(rows, cell, np.float64)
    flags, place, header = cell[0], 1, _USUAL
    if flags & _OTHER:
        header, place = cell[1:3], 3
    if not flags & _GAPS:
        return _numbers(cell[place:], rows, header, flags)
    absent, place = _unpack(cell, place, rows)
    column = decode(None, rows)
    column[~absent] = _numbers(cell[place:], int(rows - absent.sum()), header, flags)
    return column


def present(cell: Cell, rows: int) -> int:
    """How many samples a cell of that many rows has; its first bytes tell."""
    if cell is None or cell == NOTHING:
        return 0
    if not isinstance(cell, bytes) or not cell[0] & _GAPS:
        return rows
    absent, _ = _unpack(cell, 3 if cell[0] & _OTHER else 1, rows)
    return int(rows - absent.sum())


def pack_whole(numbers: npt.NDArray[np.int64]) -> bytes:
    """Whole numbers (n,), small where they rise evenly; n is MOST at most."""
    if not len(numbers):
        return b""
    chunk = _COMPRESSOR.chunk_compressor(numbers, _CONFIG)
    return b"".join((_HEADER, len(numbers).to_bytes(3, "little"), chunk.write_meta(), chunk.write_page(0)))


def unpack_whole(packed: bytes) -> npt.NDArray[np.int64]:
    """What `pack_whole` was given."""
    if not packed:
        return np.zeros(0, np.int64)
    numbers: npt.NDArray[np.int64] = np.empty(int.from_bytes(packed[2:5], "little"), np.int64)
    _read(packed[5:], packed[:2], "i64", numbers)
    return numbers


def unpack_times(packed: bytes) -> Times:
    """What `pack_whole` was given, times of rows: as a rule they follow each other evenly, and that is
    remembered."""
    regular = _regular(packed)
    if regular is None:
        return unpack_whole(packed)
    return np.arange(regular.start, regular.stop, regular.step)


@lru_cache(maxsize=REMEMBERED)
def _regular(packed: bytes) -> range | None:
    times = unpack_whole(packed)
    steps = np.diff(times)
    if not len(steps) or steps[0] <= 0 or (steps != steps[0]).any():
        return None
    return range(int(times[0]), int(times[-1]) + 1, int(steps[0]))


def _number(value: float) -> float:
    """As a whole number where that is the same: SQLite keeps a small one in a byte or none."""
    whole = abs(value) < _EXACT and value.is_integer() and (value != 0 or np.copysign(1, value) > 0)
    return int(value) if whole else value


def _pack(absent: npt.NDArray[np.bool_]) -> bytes:
    """The rows where presence changes, beginning with "present"; a bitmap where these are many."""
    changes = np.flatnonzero(np.diff(absent, prepend=False)).astype("<u4")
    if len(changes) < _BITMAP and 4 * len(changes) < len(absent) // 8:
        return bytes([len(changes)]) + changes.tobytes()
    return bytes([_BITMAP]) + np.packbits(absent).tobytes()


def _unpack(cell: bytes, place: int, rows: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Where rows are absent, and where the rest of the cell begins."""
    count, place = cell[place], place + 1
    if count == _BITMAP:
        end = place + (rows + 7) // 8
        return np.unpackbits(np.frombuffer(cell[place:end], np.uint8), count=rows).astype(np.bool_), end
    end = place + 4 * count
    flips = np.zeros(rows, np.int8)
    flips[np.frombuffer(cell[place:end], "<u4")] = 1
    return np.cumsum(flips) % 2 == 1, end


def _numbers(packed: bytes, count: int, header: bytes, flags: int) -> Floats:
    if flags & _WHOLE:
        whole: npt.NDArray[np.int64] = np.empty(count, np.int64)
        _read(packed, header, "i64", whole)
        return whole.astype(np.float64)
    column: Floats = np.empty(count)
    _read(packed, header, "f64", column)
    return column


def _read(packed: bytes, header: bytes, kind: str, numbers: npt.NDArray[np.int64] | Floats) -> None:
    decompressor = _DECOMPRESSOR if header == _USUAL else FileDecompressor.new(header)[0]
    chunk, used = decompressor.chunk_decompressor(packed, kind)
    chunk.read_page_into(packed[used:], len(numbers), numbers)
