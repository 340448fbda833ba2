"""What is said of a file of samples that is none."""

from __future__ import annotations

MOST = 1 << 53
"""A time (ms) that none is after."""


def right_time(time: int, until: int) -> bool:
    """Whether samples may be of that time (ms): after 1970, and not of the future."""
    return 0 < time <= until


class TrackError(Exception):
    """A file that cannot be read or written; the text says where, what was expected, and what to do."""
