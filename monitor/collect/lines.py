"""A few numbers out of many lines that are each a name and a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from monitor.collect.table import layout
from monitor.model import Block, Metric


class Lines:
    """Looks for each wanted line by its name, which is cheaper than to split them all.

    `wanted` gives the metric of a name, None for one that is not wanted.  Which names there are and in what
    order is the kernel's; they are listed again only when there are more or fewer lines, or one is not found,
    and until all that ever were are there again.
    """

    def __init__(self, wanted: Callable[[str], Metric | None]) -> None:
        self._wanted = wanted
        self._keys: list[str] = []
        self._most = 0
        """Names that ever were."""
        self._count = 0
        """Lines when names were listed; 0 where some were missing."""
        self._layout = layout(())
        self._text = ""
        self._block = Block(self._layout, ())

    def block(self, text: str) -> Block:
        """The wanted numbers.  Raises ValueError for a line without one."""
        if text != self._text:
            self._block, self._text = self._read("\n" + text), text
        return self._block

    def _read(self, text: str) -> Block:
        values = list(numbers(text, self._keys)) if text.count("\n") == self._count else []
        if not values or len(values) < len(self._keys):
            self._list(text)
            values = list(numbers(text, self._keys))
        return Block(self._layout, values)

    def _list(self, text: str) -> None:
        names = [words[0] for line in text.splitlines() if (words := line.split())]
        found = {name: metric for name in names if (metric := self._wanted(name))}
        self._keys = [f"\n{name} " for name in found]
        self._most = max(self._most, len(found))
        self._count = text.count("\n") if len(found) == self._most else 0
        self._layout = layout(tuple(metric.at() for metric in found.values()))


def numbers(text: str, keys: Sequence[str]) -> Iterator[float]:
    """The number behind each key, keys in the order of the text; ends at the first that is not there."""
    end = 0
    for key in keys:
        start = text.find(key, end) + len(key)
        if start < len(key):
            return
        end = text.find("\n", start)
        if end < 0:
            raise ValueError(f"the line of {key.strip()!r} has no end")
        try:
            value = float(text[start:end])
        except ValueError:
            raise ValueError(f"a number expected behind {key.strip()!r}, found {text[start:end]!r}") from None
        yield value
