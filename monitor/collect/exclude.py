"""What a pattern leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable

NOTHING = r"(?!)"
"""Matches no text at all."""


def excluder(pattern: str) -> Callable[[str], bool]:
    """Whether a name is left out by a regular expression; the empty pattern leaves out none.

    Raises re.error for a pattern that is none.
    """
    search = re.compile(pattern or NOTHING).search
    return lambda name: search(name) is not None
