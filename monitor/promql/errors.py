"""What can be wrong with a query, and how much one query may cost."""

from __future__ import annotations

from dataclasses import dataclass


class QueryError(ValueError):
    """A query that cannot be answered.  `position` counts characters from its start; None where unknown."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class BrokenError(QueryError):
    """The evaluator is at fault, not the query; `trace` says where, for the log."""

    def __init__(self, trace: str) -> None:
        super().__init__("the service failed to work this out; its log says where")
        self.trace = trace


class AwayError(QueryError):
    """What is asked for may be there, but cannot be had now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one evaluation; a query beyond one of them is a QueryError."""

    series: int = 10_000
    """Series of any selection or intermediate result."""
    samples: int = 50_000_000
    """Stored samples looked at; where each window is added up, a sample counts once for each it is in."""
    points: int = 2_000_000
    """Values (series x steps) of any intermediate or final result."""
    seconds: float = 5.0
    """Time, looked at between operators."""
