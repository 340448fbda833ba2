"""The places of the entries of a journal's file: arrays of them, each linked to the next."""

from __future__ import annotations

from array import array
from struct import Struct

from monitor.collect.journald.content import Content

ARRAY = 6
"""Its type of object."""
HEAD = Struct("<B7xQ")
"""Type and size."""
LINK = 16
"""Where an array has the place of the next one; its entries come behind."""


class Chain:
    """Goes from entry to entry; `link` is where the place of the first array is."""

    def __init__(self, content: Content, link: int, compact: bool) -> None:
        self.done = 0
        """Entries that were taken or skipped."""
        self._content = content
        self._link = link
        self._type = "I" if compact else "Q"
        self._width = 4 if compact else 8
        self._place, self._used, self._room = 0, 0, 0
        """The array that is read: where its entries begin, how many are behind, and how many it holds."""

    def take(self, most: int) -> list[int]:
        """The places of the next entries, as many as asked for, or fewer where the others are not in memory.
        Raises as Content.bytes does, and ValueError where there are none."""
        taken: list[int] = []
        while len(taken) < most:
            try:
                taken += self._piece(most - len(taken))
            except BlockingIOError:
                if taken:
                    break
                raise
        return taken

    def skip(self, end: int) -> int:
        """Go on until so many entries are behind; the place of the last.  Raises as Content.bytes does, and
        goes on from where it was when it is called again."""
        while self.done + self._room - self._used < end:
            self._advance(self._room - self._used)
            self._follow()
        self._advance(end - self.done - 1)
        (last,) = self._piece(1)
        return last

    def _piece(self, most: int) -> list[int]:
        self._follow()
        count = min(most, self._room - self._used)
        data = self._content.bytes(self._place + self._used * self._width, count * self._width)
        self._advance(count)
        return array(self._type, data).tolist()

    def _advance(self, count: int) -> None:
        self._used += count
        self.done += count

    def _follow(self) -> None:
        if self._used < self._room:
            return
        (place,) = self._content.words(self._link, 8)
        if place <= self._link:
            raise self._content.lie(f"an array of entries behind {self._link} expected, found {place}")
        kind, size = HEAD.unpack(self._content.bytes(place, HEAD.size))
        room = (size - LINK - 8) // self._width
        if kind != ARRAY or room < 1:
            raise self._content.lie(f"an array of entries expected at {place}, found {kind} of {size} bytes")
        self._link, self._place, self._used, self._room = place + LINK, place + LINK + 8, 0, room
