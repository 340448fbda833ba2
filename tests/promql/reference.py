"""PromQL the slow and obvious way: one step at a time, one series at a time, over plain lists.

Written from Prometheus's documentation, sharing nothing with the engine but the parsed tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from monitor.model import Labels
from monitor.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Grouping,
    Matching,
    Negation,
    Node,
    Number,
    Selector,
    Window,
)

Sample = tuple[int, float]
Data = dict[Labels, list[tuple[int, float | None]]]
"""Samples of each series by time (ms); None is a stale marker."""
Vector = list[tuple[Labels, float]]
LOOK_BACK = 300_000


class RefusedError(Exception):
    """The query has no value at this step."""


def value_at(data: Data, node: Node, now: int) -> float | Vector:
    match node:
        case Number():
            return node.value
        case Selector():
            return newest(data, node, now)
        case Negation():
            value = value_at(data, node.argument, now)
            return -value if isinstance(value, float) else unnamed([(labels, -one) for labels, one in value])
        case Call():
            return call(data, node, now)
        case Aggregate():
            return aggregate(data, node, now)
        case Binary():
            return binary(node, value_at(data, node.left, now), value_at(data, node.right, now))
    raise AssertionError(node)


def samples(data: Data, selector: Selector) -> list[tuple[Labels, list[tuple[int, float | None]]]]:
    return [
        (labels, rows)
        for labels, rows in data.items()
        if all(matcher.matches(dict(labels).get(matcher.label, "")) for matcher in selector.matchers)
    ]


def newest(data: Data, selector: Selector, now: int) -> Vector:
    time = (now if selector.at is None else selector.at) - selector.offset
    found: Vector = []
    for labels, rows in samples(data, selector):
        inside = [value for at, value in rows if time - LOOK_BACK < at <= time]
        if inside and inside[-1] is not None:
            found.append((labels, inside[-1]))
    return found


def over_windows(data: Data, node: Call, window: Window, now: int) -> Vector:
    selector = window.selector
    end = (now if selector.at is None else selector.at) - selector.offset
    found: Vector = []
    for labels, rows in samples(data, selector):
        inside = [(at, value) for at, value in rows if end - window.length < at <= end and value is not None]
        value = WINDOWS[node.function](inside, end - window.length, end) if inside else None
        if value is not None:
            found.append((labels, value))
    return found if node.function == "last_over_time" else unnamed(found)


def extrapolated(rows: Sequence[Sample], start: int, end: int, *, counter: bool) -> float | None:
    if len(rows) < 2:
        return None
    (first_time, first), (last_time, last) = rows[0], rows[-1]
    result = last - first
    if counter:
        for (_, before), (_, value) in pairwise(rows):
            if value < before:
                result += before
    sampled = (last_time - first_time) / 1000
    average = sampled / (len(rows) - 1)
    to_start, to_end = (first_time - start) / 1000, (end - last_time) / 1000
    if to_start >= average * 1.1:
        to_start = average / 2
    if counter and result > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / result))
    if to_end >= average * 1.1:
        to_end = average / 2
    return result * ((sampled + to_start + to_end) / sampled)


def rate(rows: Sequence[Sample], start: int, end: int) -> float | None:
    change = extrapolated(rows, start, end, counter=True)
    return None if change is None else change / ((end - start) / 1000)


def instant_rate(rows: Sequence[Sample]) -> float | None:
    if len(rows) < 2:
        return None
    (before_time, before), (time, value) = rows[-2:]
    return (value if value < before else value - before) / ((time - before_time) / 1000)


def largest(values: Sequence[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan) + 0.0


def smallest(values: Sequence[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan) + 0.0


def values_of(rows: Sequence[Sample]) -> list[float]:
    return [value for _, value in rows]


WINDOWS: dict[str, Callable[[Sequence[Sample], int, int], float | None]] = {
    "rate": rate,
    "increase": lambda rows, start, end: extrapolated(rows, start, end, counter=True),
    "delta": lambda rows, start, end: extrapolated(rows, start, end, counter=False),
    "irate": lambda rows, start, end: instant_rate(rows),
    "idelta": lambda rows, start, end: rows[-1][1] - rows[-2][1] if len(rows) > 1 else None,
    "sum_over_time": lambda rows, start, end: sum(values_of(rows)),
    "avg_over_time": lambda rows, start, end: sum(values_of(rows)) / len(rows),
    "min_over_time": lambda rows, start, end: smallest(values_of(rows)),
    "max_over_time": lambda rows, start, end: largest(values_of(rows)),
    "count_over_time": lambda rows, start, end: float(len(rows)),
    "last_over_time": lambda rows, start, end: rows[-1][1],
    "present_over_time": lambda rows, start, end: 1.0,
}


def call(data: Data, node: Call, now: int) -> float | Vector:
    if node.arguments and isinstance(node.arguments[0], Window):
        return over_windows(data, node, node.arguments[0], now)
    arguments = [value_at(data, argument, now) for argument in node.arguments]
    if node.function == "time":
        return now / 1000
    first, *numbers = arguments
    if node.function == "vector":
        assert isinstance(first, float)
        return [((), first)]
    assert isinstance(first, list)
    if node.function == "scalar":
        return first[0][1] if len(first) == 1 else math.nan
    scalars = [number for number in numbers if isinstance(number, float)]
    if node.function == "clamp" and scalars[1] < scalars[0]:
        return []
    return unnamed([(labels, EACH[node.function](value, *scalars)) for labels, value in first])


def round_to(value: float, to: float = 1.0) -> float:
    return math.floor(value * (1 / to) + 0.5) / (1 / to) if math.isfinite(value) else value


def at_least(value: float, bound: float) -> float:
    return math.nan if math.isnan(value) or math.isnan(bound) else max(value, bound)


def at_most(value: float, bound: float) -> float:
    return math.nan if math.isnan(value) or math.isnan(bound) else min(value, bound)


def whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: math.copysign(rounding(value), value) if math.isfinite(value) else value


EACH: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": whole(math.ceil),
    "floor": whole(math.floor),
    "sqrt": lambda value: math.nan if value < 0 else math.sqrt(value),
    "round": round_to,
    "clamp": lambda value, least, most: at_least(at_most(value, most), least),
    "clamp_min": at_least,
    "clamp_max": at_most,
}


def unnamed(vector: Vector) -> Vector:
    return unique(
        [(tuple(pair for pair in labels if pair[0] != "__name__"), value) for labels, value in vector]
    )


def unique(vector: Vector) -> Vector:
    if len(dict(vector)) < len(vector):
        raise RefusedError("same labelset")
    return vector


def key(labels: Labels, grouping: Grouping) -> Labels:
    if grouping.include:
        return tuple(pair for pair in labels if pair[0] in grouping.labels)
    return tuple(pair for pair in labels if pair[0] not in (*grouping.labels, "__name__"))


def aggregate(data: Data, node: Aggregate, now: int) -> Vector:
    vector = value_at(data, node.argument, now)
    assert isinstance(vector, list)
    groups: dict[Labels, Vector] = {}
    for labels, value in vector:
        groups.setdefault(key(labels, node.grouping), []).append((labels, value))
    if node.parameter is None:
        return [
            (labels, REDUCTIONS[node.operator](values_of_vector(group))) for labels, group in groups.items()
        ]
    limit = value_at(data, node.parameter, now)
    assert isinstance(limit, float)
    if not math.isfinite(limit):
        raise RefusedError("parameter")
    sign = -1 if node.operator == "topk" else 1
    kept: Vector = []
    for group in groups.values():
        ordered = sorted(
            group, key=lambda one: (math.isnan(one[1]), 0 if math.isnan(one[1]) else sign * one[1])
        )
        kept += ordered[: max(0, math.trunc(limit))]
    return kept


def values_of_vector(vector: Vector) -> list[float]:
    return [value for _, value in vector]


REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": lambda values: sum(values),
    "avg": lambda values: sum(values) / len(values),
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
}


def divide(left: float, right: float) -> float:
    if right == 0:
        return (
            math.nan
            if left == 0 or math.isnan(left)
            else math.inf * math.copysign(1, left) * math.copysign(1, right)
        )
    return left / right


def modulo(left: float, right: float) -> float:
    if right == 0 or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.fmod(left, right)


COMPUTE: dict[str, Callable[[float, float], float | bool]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "%": modulo,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


def binary(node: Binary, left: float | Vector, right: float | Vector) -> float | Vector:
    if isinstance(left, list) and isinstance(right, list):
        return (
            sets(node, left, right)
            if node.operator in ("and", "or", "unless")
            else matched(node, left, right)
        )
    if isinstance(left, list):
        assert isinstance(right, float)
        number = right
        return with_scalar(node, left, lambda value: COMPUTE[node.operator](value, number))
    if isinstance(right, list):
        other = left
        return with_scalar(node, right, lambda value: COMPUTE[node.operator](other, value))
    return float(COMPUTE[node.operator](left, right))


def with_scalar(node: Binary, vector: Vector, compute: Callable[[float], float | bool]) -> Vector:
    if filters(node):
        return [(labels, value) for labels, value in vector if compute(value)]
    return unnamed([(labels, float(compute(value))) for labels, value in vector])


def filters(node: Binary) -> bool:
    return node.operator in ("==", "!=", ">", "<", ">=", "<=") and not node.returns_bool


def matched(node: Binary, left: Vector, right: Vector) -> Vector:
    matching, swapped = node.matching, node.matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    if not many:
        return []
    partners: dict[Labels, tuple[Labels, float]] = {}
    for labels, value in one:
        if key(labels, matching.grouping) in partners:
            raise RefusedError("many to many")
        partners[key(labels, matching.grouping)] = (labels, value)
    found: Vector = []
    met: set[Labels] = set()
    for labels, value in many:
        group = key(labels, matching.grouping)
        if group not in partners:
            continue
        other_labels, other = partners[group]
        sides = (other, value) if swapped else (value, other)
        computed = COMPUTE[node.operator](*sides)
        if filters(node) and not computed:
            continue
        if not matching.many and group in met:
            raise RefusedError("many to one")
        met.add(group)
        kept = result_labels(matching, labels, other_labels, keeps_name=filters(node))
        found.append((kept, sides[0] if filters(node) else float(computed)))
    return unique(found)


def result_labels(matching: Matching, many: Labels, one: Labels, *, keeps_name: bool) -> Labels:
    labels = dict(many)
    if not keeps_name:
        labels.pop("__name__", None)
    if not matching.many:
        chosen = matching.grouping.labels
        labels = {
            name: value for name, value in labels.items() if (name in chosen) == matching.grouping.include
        }
    for name in matching.copied:
        labels.pop(name, None)
        if name in dict(one):
            labels[name] = dict(one)[name]
    return tuple(sorted(labels.items()))


def sets(node: Binary, left: Vector, right: Vector) -> Vector:
    grouping = node.matching.grouping
    lefts, rights = ({key(labels, grouping) for labels, _ in side} for side in (left, right))
    if node.operator == "or":
        return unique(left + [one for one in right if key(one[0], grouping) not in lefts])
    return [one for one in left if (key(one[0], grouping) in rights) == (node.operator == "and")]
