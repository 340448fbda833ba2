"""Evaluates a query over a grid of times, all series and all steps at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from monitor.model import Columns, Floats, Labels, Times
from monitor.promql.aggregations import aggregate
from monitor.promql.errors import Limits, QueryError
from monitor.promql.functions import FUNCTIONS
from monitor.promql.labels import NO_LABELS, chosen
from monitor.promql.nodes import Aggregate, Binary, Call, Negation, Node, Number, Selector, Text, Window
from monitor.promql.operators import binary
from monitor.promql.parse import FARTHEST, Query
from monitor.promql.selectors import newest, spans
from monitor.promql.shared import Shared
from monitor.promql.vector import Context, Scalar, Vector, without_name
from monitor.promql.windows import Span
from monitor.storage import Flags, Storage, is_stale

MOST_STEPS = 11_000
DEFAULT = Limits()


class Samples(NamedTuple):
    """The raw samples of one series."""

    labels: Labels
    timestamps: Times
    values: Floats


def evaluate(
    query: Query,
    storage: Storage,
    start: int,
    end: int,
    step: int,
    limits: Limits = DEFAULT,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Columns:
    """The query's values at start, start + step, ... <= end (ms); one instant where start == end.

    A scalar is one series without labels; series without any value are left out.  One step alone and the same
    step among others have the same values bit for bit.  Raises QueryError.
    """
    return answer(make_context(storage, (start, end, step), limits, clock), query)


def answer(context: Context, query: Query) -> Columns:
    """As `evaluate`, in a context that other queries may have used.  Raises QueryError."""
    if isinstance(query.root, Text | Window):
        kind = "string" if isinstance(query.root, Text) else "range vector"
        raise QueryError(f'invalid expression type "{kind}", must be Scalar or instant Vector', 0)
    context.begin()
    with np.errstate(all="ignore"):
        return columns(context, value_of(context, query.root))


def select_samples(
    query: Query,
    storage: Storage,
    at: int,
    limits: Limits = DEFAULT,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> list[Samples]:
    """The samples of a query that is a range selector, as `node_load1[1m]`, in the window up to `at` (ms)."""
    if not isinstance(query.root, Window):
        raise QueryError("expected a range selector")
    context = make_context(storage, (at, at, 1), limits, clock)
    found = []
    for span in spans(context, query.root):
        rows = slice(int(span.low[0]), int(span.high[0]))
        times, values = span.times[rows], span.values[rows]
        for labels, samples, stale in zip(span.series.labels, values.T, is_stale(values).T, strict=True):
            if not stale.all():
                found.append(Samples(labels, times[~stale], samples[~stale]))
    return found


def text_value(query: Query) -> str:
    """The value of a query that is a string."""
    if not isinstance(query.root, Text):
        raise QueryError("expected a string")
    return query.root.value


def make_context(
    storage: Storage,
    grid: tuple[int, int, int],
    limits: Limits,
    clock: Callable[[], float],
    shared: Shared | None = None,
) -> Context:
    """Where queries over these steps are evaluated; `shared` is what they have in common with others.

    Raises QueryError.
    """
    start, end, step = grid
    if step <= 0:
        raise QueryError(
            "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )
    if end < start:
        raise QueryError("end timestamp must not be before start time")
    if not -FARTHEST < start <= end < FARTHEST:
        raise QueryError(f"times must be within {FARTHEST} ms of 1970")
    if (end - start) // step >= MOST_STEPS:
        raise QueryError(
            f"exceeded maximum resolution of {MOST_STEPS:,} points per timeseries."
            " Try decreasing the query resolution (?step=XX)"
        )
    return Context(storage, grid, limits, shared or Shared(limits.points), clock)


def columns(context: Context, value: Vector | Scalar) -> Columns:
    if not isinstance(value, Vector):
        shape = (len(context.times), 1)
        value = Vector(NO_LABELS, np.broadcast_to(value, shape), np.ones(shape, np.bool_))
    series, values, present = value
    # Adding zero makes -0 and 0 alike.
    if present.all():
        return Columns(context.times, series.labels, values.T + 0.0)
    rows = np.where(present, values, np.nan).T + 0.0
    seen: Flags = np.any(present, axis=0)
    if seen.all():
        return Columns(context.times, series.labels, rows)
    return Columns(context.times, chosen(series, seen), rows[seen])


def value_of(context: Context, node: Node) -> Any:
    """The value of a node: a Vector or a Scalar."""
    context.check_time()
    if type(node) not in SHARED:
        return VALUES[type(node)](context, node)
    value = context.known(node)
    if value is None:
        spent = context.spent
        value = VALUES[type(node)](context, node)
        values = value.values if isinstance(value, Vector) else value
        context.remember(node, value, values.size, context.spent - spent)
    return value


def number(_: Context, node: Number) -> Scalar:
    return np.full((1, 1), node.value)


def text(_: Context, node: Text) -> str:
    return node.value


def call(context: Context, node: Call) -> Vector | Scalar:
    arguments = [
        window(context, each, node.function) if isinstance(each, Window) else value_of(context, each)
        for each in node.arguments
    ]
    found: Vector | Scalar = placed(node.position, lambda: FUNCTIONS[node.function](context, *arguments))
    return found


def window(context: Context, node: Window, function: str) -> list[Span]:
    """What a function of a range vector is given."""
    context.check_time()
    return spans(context, node, function)


def aggregation(context: Context, node: Aggregate) -> Vector:
    vector = value_of(context, node.argument)
    parameter = None if node.parameter is None else value_of(context, node.parameter)
    return aggregate(node, vector, parameter)


def operation(context: Context, node: Binary) -> Vector | Scalar:
    left, right = value_of(context, node.left), value_of(context, node.right)
    found: Vector | Scalar = placed(node.position, lambda: binary(context, node, left, right))
    if isinstance(found, Vector):
        context.check_size(len(found.series), node.position)
    return found


def negation(context: Context, node: Negation) -> Vector | Scalar:
    value: Vector | Scalar = value_of(context, node.argument)
    if isinstance(value, Vector):
        return without_name(Vector(value.series, -value.values, value.present))
    return -value


def placed(position: int, compute: Callable[[], Any]) -> Any:
    """Give an error that knows no position this one."""
    try:
        return compute()
    except QueryError as error:
        if error.position is None:
            error.position = position
        raise


VALUES: dict[type[Node], Callable[..., Any]] = {
    Number: number,
    Text: text,
    Selector: newest,
    Call: call,
    Aggregate: aggregation,
    Binary: operation,
    Negation: negation,
}
SHARED = frozenset({Selector, Call, Aggregate, Binary})
"""The kinds of parts whose values queries share."""
