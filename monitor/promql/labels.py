"""What follows from the labels of a set of series, worked out once per set and kept with it.

A store gives out the same SeriesSet while nothing changed, and everything here returns the same object for
the same sets, so a live query touches no label.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from monitor.model import Labels
from monitor.promql.nodes import Grouping
from monitor.storage import Flags, SeriesSet

Places = npt.NDArray[np.intp]
Result = TypeVar("Result")

REMEMBERED = 128
"""Derivations kept with a set of series; they may hold other sets alive."""
NO_LABELS = SeriesSet(((),))
"""The one series of a scalar."""
NOTHING = SeriesSet(())


class Groups(NamedTuple):
    """Series sorted into groups."""

    series: SeriesSet
    """The labels of the groups, in the order of their first member."""
    ids: Places
    """(k,) the group of each series."""
    order: Places
    """(k,) the series, those of a group together, each group in its order."""
    starts: Places
    """Where in `order` each group starts."""


def derive(series: SeriesSet, key: Hashable, make: Callable[[], Result]) -> Result:
    """What `make` returned for this set and key the first time."""
    found: Result | None = series.memo.get(key)
    if found is None:
        found = make()
        if len(series.memo) >= REMEMBERED:
            series.memo.clear()
        series.memo[key] = found
    return found


def key_of(grouping: Grouping) -> Callable[[Labels], Labels]:
    """The labels of the group that a series falls in; the metric's name counts only where it is asked for."""
    names = frozenset(grouping.labels)
    if grouping.include:
        return lambda labels: tuple([pair for pair in labels if pair[0] in names])
    return lambda labels: tuple([pair for pair in labels if pair[0] not in names and pair[0] != "__name__"])


def grouped(series: SeriesSet, grouping: Grouping) -> Groups:
    """The groups of `by`, `without`, `on` or `ignoring`."""
    return derive(series, ("groups", grouping), lambda: make_groups(map(key_of(grouping), series.labels)))


def make_groups(keys: Sequence[Labels] | map[Labels]) -> Groups:
    found: dict[Labels, int] = {}
    ids = np.array([found.setdefault(key, len(found)) for key in keys], np.intp)
    order = np.argsort(ids, kind="stable")
    starts = np.searchsorted(ids[order], np.arange(len(found)))
    return Groups(SeriesSet(tuple(found)), ids, order, starts)


def unnamed(series: SeriesSet) -> SeriesSet:
    """The same series without their metric's name."""
    return derive(
        series, "unnamed", lambda: SeriesSet(tuple(map(key_of(Grouping(False, ())), series.labels)))
    )


def same(series: SeriesSet) -> Groups | None:
    """Groups of series that have all labels in common; None where each is unique."""
    groups = derive(series, "same", lambda: make_groups(series.labels))
    return None if len(groups.series) == len(series) else groups


def bare(series: SeriesSet) -> tuple[SeriesSet, Groups | None]:
    """The series without their metric's name, and groups of those that are the same then."""

    def make() -> tuple[SeriesSet, Groups | None]:
        found = unnamed(series)
        return found, same(found)

    return derive(series, "bare", make)


def joined(parts: Sequence[SeriesSet]) -> SeriesSet:
    """All series of several sets, one set after the other."""
    first, *rest = parts
    if not rest:
        return first
    return derive(
        first, ("joined", *rest), lambda: SeriesSet(tuple([one for part in parts for one in part.labels]))
    )


def chosen(series: SeriesSet, flags: Flags) -> tuple[Labels, ...]:
    """The labels of those series that are flagged."""
    return derive(
        series,
        ("chosen", flags.tobytes()),
        lambda: tuple([one for one, flag in zip(series.labels, flags.tolist(), strict=True) if flag]),
    )


def spelled(labels: Labels) -> str:
    """A label set as people read it, for messages."""
    name = "".join(value for label, value in labels if label == "__name__")
    rest = ", ".join(f'{label}="{value}"' for label, value in labels if label != "__name__")
    return f"{name}{{{rest}}}"
