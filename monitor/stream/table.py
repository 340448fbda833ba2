"""A feed of rows in place of columns: the newest rows once per tick, while somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from monitor.access import Permission, Permissions
from monitor.formats import live
from monitor.formats.live import View
from monitor.promql import Moment, Query
from monitor.storage import Storage
from monitor.stream.frames import Frame

NEEDS: dict[str, Permission] = {"viewers": Permission.VIEWERS, "processes": Permission.VIEW}
"""What whoever follows a table must be permitted.  One that is not named here is followed by nobody."""


SORTS: dict[str, tuple[str, ...]] = {
    "processes": (
        *("pid", "start", "command", "user", "unit", "state"),
        *("cpu", "memory", "read", "write", "threads"),
    )
}
"""The columns that a table may be sorted by.  One that is not named here has one view, for all."""
MOST = 64
"""Tables that run at once, as each is made every tick."""


class Rows(NamedTuple):
    """What a table shows at one moment; `total` counts the rows that were left out, too."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    total: int
    about: Mapping[str, float] | None = None
    """Figures of the table itself."""


Gather: TypeAlias = Callable[[Permissions, View], Rows]
"""What a table shows to those who may do this; asked once a tick for each set of permissions and each view
watched with."""


class Table:
    """Followed like a `Feed`; it has no past: who missed some of its messages is sent the newest."""

    queries: tuple[Query, ...] = ()

    def __init__(
        self, id_: int, name: str, view: View, may: Permissions, step: int, n: int, gather: Gather
    ) -> None:
        self.id = id_
        self.name = name
        self.view = view
        self.key = name, view, may
        """What it was asked for, and what those may who are shown it."""
        self.step = step
        self.n = n
        self.gather = partial(gather, may, view)
        self.frames: list[Frame] = []
        """The newest message, encoded once for all who watch."""
        self.size = 0
        self._show(n)

    def advance(self, n: int, _moment: Moment) -> None:
        if n > self.n:
            self._show(n)

    def past(self, _after: int, _storage: Storage, _request: int | None = None) -> Frame:
        return self.frames[0]

    def _show(self, n: int) -> None:
        view = self.view if self.name in SORTS else None
        frame = Frame(live.table(self.name, self.id, n, *self.gather(), view=view))
        self.n, self.frames, self.size = n, [frame], len(frame)
