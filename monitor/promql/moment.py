"""A store asked at one moment: each query, each part that queries have in common, and each selection once."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from monitor.model import Columns
from monitor.promql.errors import BrokenError, Limits, QueryError
from monitor.promql.evaluate import answer, make_context
from monitor.promql.parse import Query
from monitor.promql.selections import Selections
from monitor.promql.shared import Shared
from monitor.promql.vector import Context
from monitor.storage import Storage

FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a fault of the evaluator raises.  It is one query's answer: all others of the tick have theirs."""


class Moment:
    """Make a new one for each tick: it does not see later scrapes, and what it holds goes with it.

    Answers are those of the query alone, bit for bit.  It keeps as many numbers as one query may have, and
    works out anew what is beyond.
    """

    def __init__(
        self, storage: Storage, limits: Limits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._storage = Selections(storage)
        self._limits = limits
        self._clock = clock
        self._shared = Shared(limits.points)
        self._newest: Context | None = None

    def ask(self, query: Query, start: int, end: int, step: int) -> Columns | QueryError:
        """What `evaluate` returns or raises."""
        key = query.text, start, end, step
        found: Columns | QueryError | None = self._shared.get(key)
        if found is None:
            found = self._answer(query, start, end, step)
            self._shared.keep(key, found, 1 if isinstance(found, QueryError) else 1 + found.values.size)
        return found

    def _answer(self, query: Query, *grid: int) -> Columns | QueryError:
        try:
            return answer(self._context(*grid), query)
        except QueryError as error:
            return error.with_traceback(None)  # It would hold what the query was worked out from.
        except FAULTS as error:
            return BrokenError("".join(traceback.format_exception(error)))

    def _context(self, start: int, end: int, step: int) -> Context:
        grid = start, end, step
        if self._newest is None or self._newest.grid != grid:
            self._newest = make_context(self._storage, grid, self._limits, self._clock, self._shared)
        return self._newest
