"""What each connection was written and has acknowledged, as numpy columns.

Ten thousand connections are some hundred thousand objects, which are in no cache when a sweep or a tick comes
to them again.  Here a whole sweep reads a few arrays, and says which connections deserve a look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

CALM = 0.25
"""How much of the rate is that of the newest sweep."""
ROOM = 64
COLUMNS = {
    "used": np.bool_,
    "watched": np.bool_,
    "disturbed": np.bool_,
    "written": np.int64,
    "acknowledged": np.int64,
    "undrained": np.int64,
    "rate": np.float64,
    "swept": np.float64,
    "pinged_at": np.float64,
}
NOBODY = 0
"""A row that is never given to anybody: what comes too late, for a connection that has left, goes there."""

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]
Slots = npt.NDArray[np.intp]


class Ledger:
    """Sizes in bytes, times in seconds of the sweep's clock; a connection's row is its slot."""

    used: Bools
    watched: Bools
    """Whether a ping is unanswered, bytes wait, or the connection is closing: each sweep looks at it."""
    disturbed: Bools
    """Whether something waits in its stream, or it closes: frames may not be put past that."""
    written: Counts
    acknowledged: Counts
    """By the peer's TCP, at the last sweep."""
    undrained: Counts
    """Written and not acknowledged, at the last sweep."""
    rate: Times
    """Bytes a second acknowledged, smoothed over some sweeps."""
    swept: Times
    pinged_at: Times

    def __init__(self) -> None:
        for name, kind in COLUMNS.items():
            setattr(self, name, np.zeros(ROOM, kind))
        self.sockets: list[object | None] = [None]
        """By slot; None where the sweep has to ask the connection."""
        self._free: list[int] = []

    def take(self, now: float, socket: object | None = None) -> int:
        """A slot for a new connection."""
        if self._free:
            slot = self._free.pop()
            self.sockets[slot] = socket
        else:
            slot = len(self.sockets)
            self.sockets.append(socket)
            if slot == len(self.used):
                self._grow()
        self.used[slot] = True
        self.swept[slot] = self.pinged_at[slot] = now
        return slot

    def give_back(self, slot: int) -> None:
        for name in COLUMNS:
            getattr(self, name)[slot] = 0
        self.sockets[slot] = None
        self._free.append(slot)

    def sweep(self, waiting: Sequence[int], now: float, ping_due: float) -> list[int]:
        """The slots that deserve a look; all others have acknowledged everything, and that is noted.

        `waiting` is, by slot, what the kernel has still to deliver, -1 where that is not known; a ping is
        overdue `ping_due` seconds after the last.
        """
        size = len(self.sockets)
        used = self.used[:size]
        look = np.array(waiting, np.int64) != 0
        look |= self.watched[:size]
        look |= now - self.pinged_at[:size] >= ping_due
        look &= used
        self._acknowledge(np.flatnonzero(used & ~look), now)
        found: list[int] = np.flatnonzero(look).tolist()
        return found

    def _acknowledge(self, slots: Slots, now: float) -> None:
        """These have acknowledged everything."""
        slots = slots[self.swept[slots] < now]
        written = self.written[slots]
        arrived = (written - self.acknowledged[slots]) / (now - self.swept[slots])
        self.rate[slots] += CALM * (arrived - self.rate[slots])
        self.acknowledged[slots] = written
        self.swept[slots] = now

    def _grow(self) -> None:
        for name in COLUMNS:
            column = getattr(self, name)
            setattr(self, name, np.concatenate((column, np.zeros_like(column))))
