"""A row as what changed since the one before it, in few bytes.

Nearly all samples are whole numbers, or decimals of a few digits, and move little: of such a one what is kept
is by how much its digits moved, taken as a whole number; of any other its bits, by exclusive or with those
before.  Bytes of like weight stand together, which Zstandard then packs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
Units = npt.NDArray[np.int64]
Digits = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]

MOST = 9
"""Decimals that are looked for."""
_TENS: Numbers = np.power(10.0, np.arange(MOST + 1), dtype=np.float64)


class Trail:
    """The newest row of a chain of rows, as both who writes them and who reads them know it."""

    def __init__(self) -> None:
        self.bits: Bits | None = None
        """All values; None where no row can stand on this one."""
        self._digits: Digits = np.zeros(0, np.uint8)
        self._scale: Numbers = np.zeros(0)
        self._units: Units = np.zeros(0, np.int64)
        """Of each column the newest value that had no more than its decimals, times ten to their power."""

    def forget(self) -> None:
        """What was written last may not be there: the next row is a whole one."""
        self.bits = None

    def whole(self, bits: Bits) -> bytes:
        """A row (n,) that stands alone."""
        digits = np.zeros(len(bits), np.uint8)
        known = min(len(bits), len(self._digits))
        digits[:known] = self._digits[:known]
        found = decimals(bits.view(np.float64), digits)
        self._begin(found, bits)
        return found.tobytes() + bits.astype("<u8", copy=False).tobytes()

    def take_whole(self, body: bytes) -> Bits:
        """The row that `whole` was given."""
        count = len(body) // 9
        bits = np.frombuffer(body, "<u8", offset=count).astype(np.uint64, copy=False)
        self._begin(np.frombuffer(body, np.uint8, count), bits)
        return bits

    def change(self, bits: Bits) -> bytes:
        """A row (n,) that stands on the one before, which had as many columns."""
        assert self.bits is not None
        moved = self.bits != bits
        places = moved.nonzero()[0]
        new, scale, known = bits.take(places), self._scale.take(places), self._units.take(places)
        units = in_units(new.view(np.float64), scale)
        fits = (units / scale).view(np.uint64) == new
        steps = units - known
        told = np.where(fits, ((steps << 1) ^ (steps >> 63)).view(np.uint64), self.bits.take(places) ^ new)
        self._units[places] = np.where(fits, units, known)
        self.bits = bits
        return b"".join((np.packbits(moved).data, np.packbits(fits).data, planes(told)))

    def take_change(self, body: bytes) -> Bits | None:
        """The row that `change` was given; None where it cannot stand on the one before."""
        if self.bits is not None:
            try:
                self.bits = self._moved(self.bits, np.frombuffer(body, np.uint8))
            except ValueError:
                self.bits = None
        return self.bits

    def _moved(self, before: Bits, body: Digits) -> Bits:
        """Raises ValueError where the row before had another number of columns."""
        start = -(-len(before) // 8)
        places = np.unpackbits(body[:start], count=len(before)).nonzero()[0]
        end = start + -(-len(places) // 8)
        fits = np.unpackbits(body[start:end], count=len(places)).view(np.bool_)
        told = unplaned(body[end:], len(places))
        known = self._units.take(places)
        units = known + ((told >> 1).view(np.int64) ^ -(told & 1).view(np.int64))
        bits = before.copy()
        values = (units / self._scale.take(places)).view(np.uint64)
        bits[places] = np.where(fits, values, before.take(places) ^ told)
        self._units[places] = np.where(fits, units, known)
        return bits

    def _begin(self, digits: Digits, bits: Bits) -> None:
        self.bits, self._digits, self._scale = bits, digits, _TENS[digits]
        units = in_units(bits.view(np.float64), self._scale)
        self._units = np.where((units / self._scale).view(np.uint64) == bits, units, 0)


def in_units(values: Numbers, scale: Numbers) -> Units:
    """Values without their points; anything for those with more decimals, or with none to be had."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.rint(values * scale).astype(np.int64)


def decimals(values: Numbers, known: Digits) -> Digits:
    """How many decimals hold each value: as many as are known, else the fewest, and 0 where none do."""
    found, left = known.copy(), np.arange(len(values))
    for digits in (known, *range(MOST + 1), 0):
        if not len(left):
            break
        found[left] = digits
        held, scale = values[left], _TENS[found[left]]
        left = left[(in_units(held, scale) / scale).view(np.uint64) != held.view(np.uint64)]
    return found


def planes(numbers: Bits) -> bytes:
    """The lowest bytes of all, then the next, up to the highest."""
    return numbers.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8).T.tobytes()


def unplaned(held: Digits, count: int) -> Bits:
    """What `planes` was given.  Raises ValueError where these are not so many."""
    return np.ascontiguousarray(held.reshape(8, count).T).view("<u8").ravel().astype(np.uint64, copy=False)
