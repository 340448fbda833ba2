"""How far back queries look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.promql.nodes import Aggregate, Binary, Call, Negation, Node, Selector, Window
from monitor.promql.parse import FARTHEST, Query
from monitor.promql.vector import LOOK_BACK


class Depth(NamedTuple):
    """Of all parts of some queries."""

    back: int
    """Milliseconds before the time that is asked for; negative where all look ahead."""
    fixed: int | None
    """The earliest time that does not depend on what is asked for (`@`)."""
    ahead: int = 0
    """Milliseconds after the time that is asked for."""

    def earliest(self, start: int) -> int:
        """The earliest time (ms) that an evaluation from `start` on looks at."""
        return start - self.back if self.fixed is None else min(start - self.back, self.fixed)

    def ends(self, start: int, end: int) -> tuple[int, int]:
        """Times (ms) between which lies all that an evaluation from `start` to `end` looks at."""
        return self.earliest(start), end + self.ahead if self.fixed is None else FARTHEST


def depth_of(queries: Iterable[Query]) -> Depth:
    found = [look for query in queries for look in looks_in(query.root)]
    back = max([selector.offset + length for selector, length in found if selector.at is None], default=0)
    fixed = [selector.at - selector.offset - length for selector, length in found if selector.at is not None]
    ahead = max([-selector.offset for selector, _ in found if selector.at is None], default=0)
    return Depth(back, min(fixed, default=None), max(ahead, 0))


def looks_in(node: Node) -> Iterator[tuple[Selector, int]]:
    """Each selector of an expression, and how many milliseconds before its time it looks at."""
    match node:
        case Selector():
            yield node, LOOK_BACK
        case Window(selector=selector, length=length):
            yield selector, length
        case _:
            for part in parts_of(node):
                yield from looks_in(part)


def parts_of(node: Node) -> tuple[Node, ...]:
    match node:
        case Call(arguments=arguments):
            return arguments
        case Aggregate(argument=argument, parameter=parameter):
            return (argument,) if parameter is None else (argument, parameter)
        case Binary(left=left, right=right):
            return left, right
        case Negation(argument=argument):
            return (argument,)
    return ()
