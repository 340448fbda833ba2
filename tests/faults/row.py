"""What a campaign counted, as lines of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LATE = 0.5


class Row(NamedTuple):
    what: str
    number: float | str
    held: bool = True
    """Whether it is as promised."""

    @property
    def cells(self) -> tuple[str, str, str]:
        number = self.number if isinstance(self.number, str) else f"{self.number:,}"
        return self.what, number, "yes" if self.held else "**no**"


def within(what: str, seconds: float, bound: float) -> Row:
    """A time that may not be longer than its bound, and than a process may wait for a core."""
    held = seconds <= bound + LATE
    return Row(f"{what} (at most {bound:g}, and {LATE:g} for the machine)", f"{seconds:.2f}", held)


def table(rows: Sequence[Row]) -> str:
    lines = [("What", "Count", "As promised"), ("---",) * 3, *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
