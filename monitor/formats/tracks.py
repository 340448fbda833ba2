"""What is said of a file of samples that is none."""

from __future__ import annotations


class TrackError(Exception):
    """A file that cannot be read or written; the text says where, what was expected, and what to do."""
