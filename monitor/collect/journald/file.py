"""One file of systemd's journal, read from a place on (systemd.io/JOURNAL_FILE_FORMAT).

systemd's library maps such files, and one that is cut while it is mapped ends the process that reads it.  So
here each part is read, and believed only as far as it was checked.

An entry is a list of the places of its fields, and equal fields share one place.  So a field is looked at
once, and entries that have the same ones, but for those made for each alone, are told by their places.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from monitor.collect.journald.chain import Chain
from monitor.collect.journald.content import Content
from monitor.collect.journald.fields import LONGEST, Field, likely, wanted

SIGNATURE = b"LPKSHHRH"
HEADER = Struct("<8s4xI72xQ56xQ")
"""Signature, incompatible flags, size of the header, number of entries."""
COUNT, FIRST = 152, 176
"""Where the number of entries is, and the place of the first array of them."""
COMPACT, KNOWN = 16, 31
"""Incompatible flags: places of four bytes; all that are known (compression, hashes with a key)."""
DATA, ENTRY = 1, 3
"""Types of objects.  Each begins with its type, and whether it is compressed, and has its size 8 bytes on."""
HEAD = Struct("<BB6xQ")
TIME, MONOTONIC, ITEMS = 3, 4, 8
"""Words of an entry: when it came, and from which on there are the places of its fields."""
FIELDS = 4096
"""Most fields of an entry that is believed."""
WINDOW, REACH = 1 << 20, 1 << 16
"""Bytes read at once, and those before an entry in which its own fields may be."""
PLACES, ALIKE = 20_000, 500
"""Places of fields and lists of them that are remembered."""


class Entry(NamedTuple):
    """One message."""

    time: int
    """When it came, in microseconds of Unix time."""
    fields: tuple[Field, ...]
    """Those that are wanted."""


class Window:
    """A part of the file."""

    def __init__(self, start: int, words: array[int], compact: bool) -> None:
        self.start = start
        self.words = words
        self._halves = array("I", words.tobytes()) if compact else None

    def places(self, at: int, end: int) -> array[int]:
        """Those of the fields of the entry that has these words."""
        first = at + ITEMS
        if self._halves is None:
            return self.words[first:end:2]  # A hash is behind each.
        return self._halves[first * 2 : at * 8 + self.words[at + 1] >> 2]


class File:
    """The entries of one file, each once."""

    def __init__(self, path: str, *, past: bool = False, after: int = 0) -> None:
        """What it has already is passed over unless `past`; then what came until `after`, in microseconds of
        the monotonic clock.  Raises OSError, PermissionError among them."""
        self.path = path
        self.waiting = 0
        """Entries that were not read yet, as far as is known."""
        self.newest = after
        """When the last entry that was read came, in microseconds of the monotonic clock."""
        self._past, self._after = past, after
        self._content = Content(path)
        self._chain: Chain | None = None
        self._ahead: list[int] = []
        """Where the next entries are."""
        self._payload = 0
        """Words of a field before its bytes."""
        self._behind = 0
        """Where the last entry ends: what was made for later ones alone comes after it."""
        self._since = 0
        """Fields from here to there were looked at when they came."""
        self._places: dict[int, Field | None] = {}
        self._alike: dict[bytes, tuple[Field, ...]] = {}
        """Wanted fields by the places of those that were there before an entry."""

    @property
    def inode(self) -> int:
        return self._content.inode

    def close(self) -> None:
        self._content.close()

    def read(self, most: int) -> list[Entry]:
        """The next entries: at most so many, and no more than are read at once; none as long as the disk has
        to be waited for.  Raises ValueError where the file lies, and OSError."""
        try:
            chain = self._chain or self._begin()
            self.waiting = self._count(chain)
            if not self._ahead and self.waiting:
                self._ahead = chain.take(min(most, self.waiting))
            return self._batch(most) if self._ahead else []
        except BlockingIOError:
            self.waiting = max(self.waiting, 1)
            return []

    def skip(self) -> int:
        """Pass over what was not read yet, if it is in memory, and tell how many; raises as `read` does."""
        before = self.waiting
        try:
            chain = self._chain or self._begin()
            before = self.waiting = self._count(chain)
            self._since, self._ahead = sys.maxsize, []
            if before:
                self._after_last(chain.skip(chain.done + before))
            self.waiting = 0
        except BlockingIOError:
            self.waiting = self._count(self._chain) if self._chain else before
        return before - self.waiting

    def _count(self, chain: Chain) -> int:
        """How many entries were not read yet."""
        (count,) = self._content.words(COUNT, 8)
        if count < chain.done:
            raise self._content.lie(f"at least {chain.done} entries expected, found {count}")
        return int(count - chain.done + len(self._ahead))

    def _begin(self) -> Chain:
        signature, flags, size, count = HEADER.unpack(self._content.bytes(0, HEADER.size))
        if signature != SIGNATURE:
            raise self._content.lie(f"a journal of systemd's expected, found {signature!r}")
        if flags & ~KNOWN:
            raise self._content.lie(f"a format that is known expected, found the flags {flags:#x}")
        compact = bool(flags & COMPACT)
        self._payload = 9 if compact else 8
        chain = Chain(self._content, FIRST, compact)
        self._behind = self._since = size
        if count and not self._past:
            self._after_last(chain.skip(count))
        self._chain = chain
        return chain

    def _after_last(self, last: int) -> None:
        """All fields before the end of this entry may be any."""
        self._behind = self._since = self._end(last)

    def _end(self, place: int) -> int:
        """Where an entry ends."""
        kind, _, size = HEAD.unpack(self._content.bytes(place, HEAD.size))
        if kind != ENTRY or place % 8 or not ITEMS * 8 <= size <= ITEMS * 8 + FIELDS * 16:
            raise self._content.lie(f"an entry expected at {place}, found {kind} of {size} bytes")
        return int(place + size + -size % 8)

    def _batch(self, most: int) -> list[Entry]:
        """The entries that are ahead, as many as a window has."""
        start = max(self._behind, self._ahead[0] - REACH)
        places = self._ahead[: max(min(bisect_left(self._ahead, start + WINDOW), most), 1)]
        window = self._window(start, self._end(places[-1]))
        found: list[Entry] = []
        count = 0
        try:
            for place in places:
                found += self._entry(window, place)
                count += 1
        except BlockingIOError:
            pass  # The others come when their fields are in memory.
        del self._ahead[:count]
        self.waiting -= count
        return found

    def _window(self, start: int, end: int) -> Window:
        if not 0 < end - start <= WINDOW + REACH * 2 or start % 8:
            raise self._content.lie(f"entries in order expected, found {start} to {end}")
        return Window(start, self._content.words(start, end - start), self._payload == 9)

    def _entry(self, window: Window, place: int) -> tuple[Entry, ...]:
        """The entry at a place; none where it came before those that are wanted."""
        words = window.words
        at = (place - window.start) >> 3
        if place < self._behind or at + ITEMS > len(words) or words[at] & 0xFF != ENTRY:
            raise self._content.lie(f"an entry behind {self._behind} expected at {place}")
        end = at + (words[at + 1] + 7 >> 3)
        if not at + ITEMS <= end <= len(words):
            raise self._content.lie(f"an entry expected at {place}, found one of {words[at + 1]} bytes")
        places = window.places(at, end)
        # They are in order, but nothing rests on it.
        shared = bisect_left(places, self._behind)
        key = places[:shared].tobytes()
        fields = self._alike.get(key)
        if fields is None:
            fields = self._remembered(key, self._fields(places[:shared], place))
        if own := self._likely(window, places[shared:]):
            fields += self._fields(own, place)
        self._behind = window.start + end * 8
        self.newest = words[at + MONOTONIC]
        return (Entry(words[at + TIME], fields),) if self.newest > self._after else ()

    def _likely(self, window: Window, places: array[int]) -> list[int]:
        """Those of fields that may be wanted."""
        words, first, last = (
            window.words,
            window.start,
            window.start + 8 * (len(window.words) - self._payload),
        )
        ahead = self._payload - (first >> 3)
        return [place for place in places if not first <= place < last or likely(words[(place >> 3) + ahead])]

    def _fields(self, places: Iterable[int], entry: int) -> tuple[Field, ...]:
        """The wanted ones of an entry's."""
        known, since, behind = self._places, self._since, self._behind
        # Most were looked at, and nobody wants them.
        unsure = [place for place in places if place in known or not since <= place < behind]
        return tuple(field for place in unsure if (field := self._field(place, entry)) is not None)

    def _field(self, place: int, entry: int) -> Field | None:
        if place in self._places:
            return self._places[place]
        if self._since <= place < self._behind:
            return None  # It was looked at.
        if place % 8 or not 0 < place < entry:
            raise self._content.lie(f"a field before {entry} expected, found {place}")
        field = self._looked(place)
        if field or place < self._since:
            self._remember(place, field)
        return field

    def _looked(self, place: int) -> Field | None:
        """The field at a place."""
        kind, compressed, size = HEAD.unpack(self._content.bytes(place, HEAD.size))
        head = self._payload * 8
        if kind != DATA or size < head:
            raise self._content.lie(f"a field expected at {place}, found {kind} of {size} bytes")
        # Only long ones are compressed, and none of those is wanted.
        return None if compressed else wanted(self._content.bytes(place + head, min(size - head, LONGEST)))

    def _remember(self, place: int, field: Field | None) -> None:
        if len(self._places) >= PLACES:
            self._places.clear()
            self._since = sys.maxsize
        self._places[place] = field

    def _remembered(self, key: bytes, fields: tuple[Field, ...]) -> tuple[Field, ...]:
        if len(self._alike) >= ALIKE:
            self._alike.clear()
        self._alike[key] = fields
        return fields
