"""Where a fault of ours has to stop, so that the others go on.  What stops it is given by the wiring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

Isolated: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Opened around the work for one among many, with a name for it: what fails inside ends that work alone."""


def nowhere(_work: str) -> AbstractContextManager[None]:
    """What fails is for the caller to hear."""
    return nullcontext()
