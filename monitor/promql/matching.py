"""How the series of two vectors find each other: one to one, many to one, and as sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from monitor.model import Floats, Labels
from monitor.promql.errors import QueryError
from monitor.promql.labels import Groups, Places, derive, grouped, joined, key_of, make_groups, spelled
from monitor.promql.nodes import Binary, Matching
from monitor.promql.vector import Context, Vector, per_group, unite
from monitor.storage import Flags, SeriesSet


class Pairs(NamedTuple):
    """The r pairs of series that have the matching labels in common."""

    series: SeriesSet
    """The labels of the results."""
    many: Places
    """(r,) columns of the side that may have several for one of the other."""
    one: Places
    """(r,) columns of the other side."""
    groups: Groups
    """Pairs by their matching labels."""


class Paired(NamedTuple):
    """The values of both sides of each pair; a computation puts its result on the left."""

    left: Floats
    right: Floats
    present: Flags


def pair_up(
    context: Context,
    node: Binary,
    left: Vector,
    right: Vector,
    compute: Callable[[Paired], Paired],
    *,
    keeps_name: bool,
) -> Vector:
    """Compute over matching series.  Raises QueryError where one series would meet two at one step."""
    swapped = node.matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    check_one(node, one, many, "left" if swapped else "right")
    pairs = paired_series(context, node, many.series, one.series, keeps_name=keeps_name)
    many_values, one_values = many.values[:, pairs.many], one.values[:, pairs.one]
    present = many.present[:, pairs.many] & one.present[:, pairs.one]
    sides = (one_values, many_values) if swapped else (many_values, one_values)
    computed = compute(Paired(*sides, present))
    if not node.matching.many:
        check_many(node, computed.present, pairs.groups)
    try:
        return unite(Vector(pairs.series, computed.left, computed.present))
    except QueryError as error:
        message = "multiple matches for labels: grouping labels must ensure unique matches"
        raise QueryError(message, node.position) from error


def check_one(node: Binary, one: Vector, many: Vector, side: str) -> None:
    """Refuse two series of the one side that have the same matching labels where the other side has any."""
    groups = grouped(one.series, node.matching.grouping)
    if len(groups.series) == len(one.series):
        return
    crowded = (per_group(one.present, groups) > 1) & np.any(many.present, axis=1, keepdims=True)
    for group in np.flatnonzero(crowded.any(axis=0))[:1].tolist():
        members = [spelled(one.series.labels[place]) for place in np.flatnonzero(groups.ids == group)]
        raise QueryError(
            f"found duplicate series for the match group {spelled(groups.series.labels[group])} on the {side}"
            f" hand-side of the operation: [{', '.join(members[:2])}]"
            ";many-to-many matching not allowed: matching labels must be unique on one side",
            node.position,
        )


def check_many(node: Binary, present: Flags, groups: Groups) -> None:
    """Refuse two results of one group where the match was to be one to one."""
    if len(groups.series) < len(groups.ids) and (per_group(present, groups) > 1).any():
        message = (
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )
        raise QueryError(message, node.position)


def paired_series(
    context: Context, node: Binary, many: SeriesSet, one: SeriesSet, *, keeps_name: bool
) -> Pairs:
    """Raises QueryError where there would be more pairs than series are allowed."""
    asked = ("places", one, node.matching.grouping)
    places = derive(many, asked, lambda: find_pairs(context, node, many, one))
    context.check_size(len(places), node.position)
    key = ("pairs", one, node.matching, keeps_name)
    return derive(many, key, lambda: make_pairs(node.matching, many, one, places, keeps_name=keeps_name))


def find_pairs(context: Context, node: Binary, many: SeriesSet, one: SeriesSet) -> Places:
    """(r, 2): the columns of each pair."""
    key = key_of(node.matching.grouping)
    partners: dict[Labels, list[int]] = {}
    for place, labels in enumerate(one.labels):
        partners.setdefault(key(labels), []).append(place)
    found = [partners.get(key(labels), []) for labels in many.labels]
    context.check_size(sum(map(len, found)), node.position)
    pairs = [(place, partner) for place, partners_of in enumerate(found) for partner in partners_of]
    return np.array(pairs, np.intp).reshape(-1, 2)


def make_pairs(
    matching: Matching, many: SeriesSet, one: SeriesSet, places: Places, *, keeps_name: bool
) -> Pairs:
    key = key_of(matching.grouping)
    found = places.tolist()
    series = [
        result_labels(matching, many.labels[place], one.labels[partner], keeps_name=keeps_name)
        for place, partner in found
    ]
    groups = make_groups([key(many.labels[place]) for place, _ in found])
    return Pairs(SeriesSet(tuple(series)), places[:, 0], places[:, 1], groups)


def result_labels(matching: Matching, many: Labels, one: Labels, *, keeps_name: bool) -> Labels:
    labels = {name: value for name, value in many if keeps_name or name != "__name__"}
    if not matching.many:
        names, include = matching.grouping.labels, matching.grouping.include
        labels = {name: value for name, value in labels.items() if (name in names) is include}
    given = dict(one)
    for name in matching.copied:
        labels.pop(name, None)
        if name in given:
            labels[name] = given[name]
    return tuple(sorted(labels.items()))


def matched(matching: Matching, series: SeriesSet, other: Vector) -> Flags:
    """(S, k): whether any series of the other vector has the matching labels of a series at a step."""
    groups = grouped(other.series, matching.grouping)
    partners = derive(
        series, ("partners", groups.series, matching), lambda: find(matching, series, groups.series)
    )
    known = np.zeros((len(other.present), len(groups.series) + 1), np.bool_)
    known[:, :-1] = per_group(other.present, groups) > 0
    return known[:, partners]


def find(matching: Matching, series: SeriesSet, groups: SeriesSet) -> Places:
    """The group of each series; -1, the last, where there is none."""
    places = {labels: place for place, labels in enumerate(groups.labels)}
    key = key_of(matching.grouping)
    return np.array([places.get(key(labels), -1) for labels in series.labels], np.intp)


def intersection(node: Binary, left: Vector, right: Vector) -> Vector:
    return left._replace(present=left.present & matched(node.matching, left.series, right))


def difference(node: Binary, left: Vector, right: Vector) -> Vector:
    return left._replace(present=left.present & ~matched(node.matching, left.series, right))


def union(node: Binary, left: Vector, right: Vector) -> Vector:
    added = right.present & ~matched(node.matching, right.series, left)
    return unite(
        Vector(
            joined((left.series, right.series)),
            np.concatenate([left.values, right.values], axis=1),
            np.concatenate([left.present, added], axis=1),
        )
    )


SET_OPERATIONS: dict[str, Callable[[Binary, Vector, Vector], Vector]] = {
    "and": intersection,
    "unless": difference,
    "or": union,
}
