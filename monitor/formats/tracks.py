"""Samples with their times, as files for other programs have them."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Floats, Labels, Metric, Times


class Track(NamedTuple):
    """Samples of one series; of a long one there may be many tracks, one after another."""

    labels: Labels
    """With `__name__`, sorted by name."""
    metric: Metric
    times: Times
    """(n,) ascending milliseconds."""
    values: Floats
    """(columns, n): the sample; of a rolled-up row what its resolution keeps, its last sample first."""


class TrackError(Exception):
    """A file that cannot be read or written; the text says where, what was expected, and what to do."""
