"""Numbers out of a text whose words stay where they are.

The kernel's files keep their names for minutes and change their numbers every moment.  So the names are
made into a layout once for each set of them, and a pass only picks the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter, truediv
from typing import NamedTuple
from weakref import WeakValueDictionary

from monitor.model import Block, Layout, Metric, Series

BLANKS = re.compile(r"[ \t\n\v\f\r]+")
SEPARATORS = "\x1c\x1d\x1e\x1f"
"""Blanks of Python's among the ASCII characters, but none of the kernel's."""
PLANS = 16

Entry = tuple[Metric, Series]
HELD: WeakValueDictionary[tuple[Entry, ...], Layout] = WeakValueDictionary()
"""Layouts that somebody has: those of groups that come and go are large, and each of another set."""


class Cell(NamedTuple):
    """One value of a text."""

    entry: Entry
    place: int
    """Which word of the text it is, counted from 0."""
    per: float = 1
    """How many of the text's units make one of the metric's: 1000 where milliseconds become seconds."""


Pick = Callable[[Sequence[str]], tuple[str, ...]]


class _Plan(NamedTuple):
    length: int
    names: Pick
    known: tuple[str, ...]
    values: Pick
    pers: tuple[float, ...]
    """Empty where all are 1."""
    layout: Layout


class Table:
    """Turns a text into a block.  `cells` gets the words of the text, and is asked again only when a word
    that is no number changed; it raises ValueError for a text it cannot make out."""

    def __init__(self, cells: Callable[[list[str]], Iterable[Cell]]) -> None:
        self._cells = cells
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._plan: _Plan | None = None
        self._text = ""
        self._block = Block(layout(()), ())

    def block(self, text: str) -> Block:
        """The numbers of the text.  Raises ValueError where it has none in their place."""
        if text != self._text:
            self._block, self._text = self._read(text), text
        return self._block

    def _read(self, text: str) -> Block:
        words = words_of(text)
        plan = self._plan
        if plan is None or len(words) != plan.length or plan.names(words) != plan.known:
            plan = self._plan = self._planned(words)
        numbers = map(float, plan.values(words))
        return Block(plan.layout, list(map(truediv, numbers, plan.pers)) if plan.pers else list(numbers))

    def _planned(self, words: list[str]) -> _Plan:
        places = [place for place, word in enumerate(words) if not is_number(word)]
        names = pick(places)
        # The places count as well: a column more gives the same names elsewhere.
        key = (*names(words), *map(str, places), str(len(words)))
        if key not in self._plans:
            if len(self._plans) >= PLANS:
                del self._plans[next(iter(self._plans))]
            self._plans[key] = _plan(words, names, list(self._cells(words)))
        return self._plans[key]


def _plan(words: list[str], names: Pick, cells: Sequence[Cell]) -> _Plan:
    pers = tuple(cell.per for cell in cells)
    return _Plan(
        length=len(words),
        names=names,
        known=names(words),
        values=pick([cell.place for cell in cells]),
        pers=pers if any(per != 1 for per in pers) else (),
        layout=layout(tuple(cell.entry for cell in cells)),
    )


def layout(entries: tuple[Entry, ...]) -> Layout:
    """The one layout of these entries, for as long as anybody has it: the same one when they come again."""
    found = HELD.get(entries)
    if found is None:
        found = HELD[entries] = Layout(entries)
    return found


def words_of(text: str) -> list[str]:
    """The words between the blanks of the kernel; a name may hold what is one to Python alone."""
    if text.isascii() and not any(blank in text for blank in SEPARATORS):
        return text.split()
    return [word for word in BLANKS.split(text) if word]


def is_number(word: str) -> bool:
    """Whether a word is a plain decimal number."""
    return word.lstrip("-").replace(".", "", 1).isdigit()


def pick(places: Sequence[int]) -> Pick:
    """A function from words to those at the places, as a tuple however many there are."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda words: tuple(words[place] for place in places)
