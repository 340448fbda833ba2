"""The functions of PromQL by name; each is given the context and the values of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from monitor.model import Floats
from monitor.promql import folds, rises
from monitor.promql.labels import NO_LABELS
from monitor.promql.selectors import combine
from monitor.promql.vector import Context, Scalar, Vector, without_name
from monitor.promql.windows import Span

Function = Callable[..., Any]


def over_windows(reduce: Callable[[Span], Vector], *, keeps_name: bool = False) -> Function:
    """A function of a range vector, worked out for each target."""

    def function(context: Context, spans: Sequence[Span]) -> Vector:
        vector = combine(context, [reduce(span) for span in spans])
        return vector if keeps_name else without_name(vector)

    return function


def each_value(compute: Callable[..., Floats]) -> Function:
    """A function of each value of a vector, and of scalars at the same step."""

    def function(_: Context, vector: Vector, *scalars: Scalar) -> Vector:
        return without_name(Vector(vector.series, compute(vector.values, *scalars), vector.present))

    return function


def clamp(_: Context, vector: Vector, least: Scalar, most: Scalar) -> Vector:
    values = np.maximum(least, np.minimum(most, vector.values))
    return without_name(Vector(vector.series, values, vector.present & ~(most < least)))


def nearest(values: Floats, to: Scalar | None = None) -> Floats:
    """Round half up to the nearest multiple of `to`."""
    inverse = 1.0 if to is None else 1.0 / to
    rounded: Floats = np.floor(values * inverse + 0.5) / inverse
    return rounded


def time(context: Context) -> Scalar:
    """The time of each step in seconds."""
    return context.times[:, None] / 1000


def scalar(_: Context, vector: Vector) -> Scalar:
    """The value of the only series; NaN where there is none or more than one."""
    single = vector.present.sum(axis=1, keepdims=True) == 1
    if not len(vector.series):
        return np.full(single.shape, np.nan)
    place = vector.present.argmax(axis=1)[:, None]
    return np.where(single, np.take_along_axis(vector.values, place, axis=1), np.nan)


def vector(context: Context, number: Scalar) -> Vector:
    """A scalar as a vector of one series without labels."""
    shape = (len(context.times), 1)
    return Vector(NO_LABELS, np.broadcast_to(number, shape), np.ones(shape, np.bool_))


FUNCTIONS: dict[str, Function] = {
    "rate": over_windows(rises.rate),
    "irate": over_windows(rises.irate),
    "increase": over_windows(rises.total_increase),
    "delta": over_windows(rises.delta),
    "idelta": over_windows(rises.idelta),
    "avg_over_time": over_windows(folds.avg_over_time),
    "min_over_time": over_windows(folds.min_over_time),
    "max_over_time": over_windows(folds.max_over_time),
    "sum_over_time": over_windows(folds.sum_over_time),
    "count_over_time": over_windows(folds.count_over_time),
    "last_over_time": over_windows(folds.last_over_time, keeps_name=True),
    "present_over_time": over_windows(folds.present_over_time),
    "abs": each_value(np.abs),
    "ceil": each_value(np.ceil),
    "floor": each_value(np.floor),
    "round": each_value(nearest),
    "sqrt": each_value(np.sqrt),
    "exp": each_value(np.exp),
    "ln": each_value(np.log),
    "log2": each_value(np.log2),
    "log10": each_value(np.log10),
    "sgn": each_value(np.sign),
    "clamp": clamp,
    "clamp_min": each_value(np.maximum),
    "clamp_max": each_value(np.minimum),
    "time": time,
    "scalar": scalar,
    "vector": vector,
}
