"""A store asked at one moment: each query, each part that queries have in common, and each selection once."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.model import Columns
from monitor.promql.errors import Limits, QueryError
from monitor.promql.evaluate import evaluate
from monitor.promql.parse import Query
from monitor.promql.selections import Selections
from monitor.promql.shared import Shared
from monitor.storage import Storage


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

    def ask(self, query: Query, start: int, end: int, step: int) -> Columns | QueryError:
        """What `evaluate` returns or raises."""
        key = query.text, start, end, step
        answer: Columns | QueryError | None = self._shared.get(key)
        if answer is None:
            answer = self._evaluate(query, start, end, step)
            self._shared.keep(key, answer, 1 if isinstance(answer, QueryError) else 1 + answer.values.size)
        return answer

    def _evaluate(self, query: Query, start: int, end: int, step: int) -> Columns | QueryError:
        grid = start, end, step
        try:
            return evaluate(query, self._storage, *grid, self._limits, clock=self._clock, shared=self._shared)
        except QueryError as error:
            return error.with_traceback(None)  # It would hold what the query was worked out from.
