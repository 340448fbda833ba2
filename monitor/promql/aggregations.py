"""Aggregations: from the series of each group to one, or to a few of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model import Floats
from monitor.promql.errors import QueryError
from monitor.promql.labels import Groups, grouped
from monitor.promql.nodes import Aggregate
from monitor.promql.vector import Scalar, Vector, per_group

Reduce = Callable[[Vector, Groups, Floats], Floats]


def aggregate(node: Aggregate, vector: Vector, parameter: Scalar | None) -> Vector:
    """The value of an aggregation.  Raises QueryError for a parameter that is NaN or infinite."""
    groups = grouped(vector.series, node.grouping)
    if parameter is not None:
        if not (np.abs(parameter) < 2.0**63).all():
            message = f"parameter of {node.operator} must be a whole number, got {parameter.max()}"
            raise QueryError(message, node.position)
        return few(vector, groups, parameter, largest=node.operator == "topk")
    counts = per_group(vector.present, groups)
    return Vector(groups.series, REDUCTIONS[node.operator](vector, groups, counts), counts > 0)


def total(vector: Vector, groups: Groups, _: Floats) -> Floats:
    return per_group(np.where(vector.present, vector.values, 0.0), groups)


def count(_: Vector, __: Groups, counts: Floats) -> Floats:
    return counts


def ones(_: Vector, __: Groups, counts: Floats) -> Floats:
    return np.ones_like(counts)


def average(vector: Vector, groups: Groups, counts: Floats) -> Floats:
    return total(vector, groups, counts) / counts


def extreme(fold: np.ufunc) -> Reduce:
    """The least or greatest value of each group; NaN only where all are NaN."""

    def reduce(vector: Vector, groups: Groups, counts: Floats) -> Floats:
        if not len(groups.series):
            return counts
        # Adding zero makes zeros alike: of -0 and 0 either may win, depending on the shape.
        values = np.where(vector.present, vector.values, np.nan)[:, groups.order] + 0.0
        least_or_greatest: Floats = fold.reduceat(values, groups.starts, axis=1)
        return least_or_greatest

    return reduce


def few(vector: Vector, groups: Groups, limits: Scalar, *, largest: bool) -> Vector:
    """The largest or smallest values of each group, with their own labels; NaN comes last, then absence."""
    if not len(vector.series):
        return vector
    missing = np.where(vector.present, np.isnan(vector.values), 2)
    key = -vector.values if largest else vector.values
    group_ids = np.broadcast_to(groups.ids, key.shape)
    order = np.lexsort((key, missing, group_ids), axis=-1)
    # Each group's members now stand together, at the same places at each step.
    ranks = np.arange(len(groups.ids)) - groups.starts[groups.ids[groups.order]]
    taken = np.empty(key.shape, np.bool_)
    np.put_along_axis(taken, order, ranks < np.trunc(limits), axis=1)
    return Vector(vector.series, vector.values, vector.present & taken)


REDUCTIONS: dict[str, Reduce] = {
    "sum": total,
    "avg": average,
    "min": extreme(np.fmin),
    "max": extreme(np.fmax),
    "count": count,
    "group": ones,
}
AGGREGATIONS = frozenset({*REDUCTIONS, "topk", "bottomk"})
