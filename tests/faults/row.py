"""What a campaign counted, as lines of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    what: str
    number: float | str
    held: bool = True
    """Whether it is as promised."""

    @property
    def cells(self) -> tuple[str, str, str]:
        number = self.number if isinstance(self.number, str) else f"{self.number:,}"
        return self.what, number, "yes" if self.held else "**no**"


def table(rows: Sequence[Row]) -> str:
    lines = [("What", "Count", "As promised"), ("---",) * 3, *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
