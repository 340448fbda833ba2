"""A feed of rows in place of columns: the newest rows once per tick, while somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from monitor.access import Permission
from monitor.formats import live
from monitor.promql import Moment, Query
from monitor.storage import Storage
from monitor.stream.frames import Frame

NEEDS: dict[str, Permission] = {"viewers": Permission.VIEWERS}
"""What whoever follows a table must be permitted.  One that is not named here is followed by nobody."""


class Rows(NamedTuple):
    """What a table shows at one moment; `total` counts the rows that were left out, too."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    total: int


class Table:
    """Followed like a `Feed`; it has no past: who missed some of its messages is sent the newest."""

    queries: tuple[Query, ...] = ()

    def __init__(self, id_: int, name: str, step: int, n: int, source: Callable[[], Rows]) -> None:
        self.id = id_
        self.key = name
        self.step = step
        self.n = n
        self.source = source
        self.frames: list[Frame] = []
        """The newest message, encoded once for all who watch."""
        self.size = 0
        self._show()

    def advance(self, n: int, _moment: Moment) -> None:
        if n > self.n:
            self.n = n
            self._show()

    def past(self, _after: int, _storage: Storage, _request: int | None = None) -> Frame:
        return self.frames[0]

    def _show(self) -> None:
        frame = Frame(live.table(self.key, self.id, self.n, *self.source()))
        self.frames, self.size = [frame], len(frame)
