"""A store seen through one tick: queries over the same selectors share what was selected."""

from __future__ import annotations

from monitor.model import Labels, Metric, Scrape, Times
from monitor.storage import FINEST, Look, Matcher, Selection, Storage


class Selections(Storage):
    """Remembers every selection; make a new one for each tick, for it does not see later scrapes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._found: dict[tuple[tuple[Matcher, ...], int, int, Look], list[Selection]] = {}

    def append(self, scrape: Scrape) -> None:
        """Keep a scrape, and forget what was selected."""
        self._storage.append(scrape)
        self._found.clear()

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        """What the store selects, asked for once."""
        key = (matchers, start, end, look)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._storage.select(matchers, start, end, look)
        return found

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """What the store has."""
        return self._storage.series(matchers, start, end)

    def measured(self, start: int, end: int) -> Times:
        """What the store has."""
        return self._storage.measured(start, end)

    def metadata(self) -> dict[str, Metric]:
        """What the store has."""
        return self._storage.metadata()

    def oldest(self) -> int | None:
        """What the store has."""
        return self._storage.oldest()
