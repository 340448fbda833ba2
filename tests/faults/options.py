"""How much of each campaign is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    share: float = 1.0
    """Of the counts in the plan."""
    seed: int = 1

    def of(self, count: int) -> int:
        """So many, in this run."""
        return max(1, round(count * self.share))


def progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
