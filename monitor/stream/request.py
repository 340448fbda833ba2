"""What a client subscribes to, made into what its source is asked: within the limits and its permissions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from monitor.access import Permissions
from monitor.formats.live import WHOLE, Subscribe, View
from monitor.stream.limits import SessionLimits
from monitor.stream.source import Asked, Source
from monitor.stream.table import NEEDS, SORTS


class RefusedError(Exception):
    """A request that cannot be granted: an error code of the protocol and a text."""

    def __init__(self, code: str, message: str, **place: int | None) -> None:
        super().__init__(message)
        self.code = code
        self.place = place


def asked(
    message: Subscribe,
    feeds: Source,
    boards: Mapping[str, Sequence[str]],
    limits: SessionLimits,
    may: Permissions,
) -> Asked:
    """What to ask for on behalf of somebody who may do this.  Raises RefusedError."""
    if message.table is not None:
        name = table(message.table, feeds.tables, may)
        return Asked(table=name, view=viewed(name, message.view), may=may)
    step = stepped(message, feeds.step, limits)
    queries = message.queries if message.board is None else board(message.board, boards)
    if len(queries) > limits.queries:
        raise too_many(limits)
    return Asked(tuple(queries), tuple(sorted(message.variables.items())), step, may=may)


def table(name: str, tables: Collection[str], may: Permissions) -> str:
    if name not in tables:
        raise RefusedError("unknown_table", f"no table named {name!r}; there are: {listed(tables)}")
    if NEEDS.get(name) not in may:
        raise RefusedError("not_permitted", f"the table {name} is not for everybody: log in as an operator")
    return name


def viewed(table: str, view: View) -> View:
    """A view that the table has."""
    if view.sort and view.sort not in SORTS.get(table, ()):
        sorts = listed(SORTS.get(table, ()))
        raise RefusedError(
            "bad_message", f"sort: the table {table} is sorted by {sorts}, found {view.sort!r}"
        )
    if table not in SORTS and view != WHOLE:
        raise RefusedError("bad_message", f"the table {table} has one view: it takes no filter and no limit")
    return view


def stepped(message: Subscribe, base: int, limits: SessionLimits) -> int:
    """The step in ms, a multiple of the service's own."""
    step = base if message.step is None else message.step
    if step < base or step % base:
        raise RefusedError("bad_message", f"step: expected a multiple of {base} ms, found {step}")
    if message.range > limits.range:
        raise RefusedError("too_large", f"range: at most {limits.range} ms, found {message.range}")
    return step


def board(name: str, boards: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Its queries."""
    if name not in boards:
        raise RefusedError("unknown_board", f"no board named {name!r}; there are: {listed(boards)}")
    return boards[name]


def listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def too_many(limits: SessionLimits) -> RefusedError:
    most = f"{limits.subscriptions} subscriptions and {limits.queries} queries"
    return RefusedError("too_many", f"at most {most} at once")
