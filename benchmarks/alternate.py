"""Contestants measured in turn (A B A B), so that what disturbs the machine disturbs them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

from benchmarks.options import progress

Figures = Mapping[str, float]


def alternate(runs: int, contestants: Mapping[str, Callable[[], Figures]]) -> dict[str, dict[str, float]]:
    """The median of each figure of each contestant."""
    found: dict[str, list[Figures]] = {name: [] for name in contestants}
    for run in range(1, runs + 1):
        for name, measure in contestants.items():
            progress(f"run {run} of {runs}: {name}")
            found[name].append(measure())
    return {
        name: {key: median(figures[key] for figures in held) for key in held[0]}
        for name, held in found.items()
    }
