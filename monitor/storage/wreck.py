"""What can still be read of a damaged file: every row on its pages whose seal is intact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from monitor.storage.contents import Numbers, Tables
from monitor.storage.leaves import Leaves
from monitor.storage.schema import CELL, COLUMNS, PAGES, SLOT, STATE, Row, columns, intact
from monitor.storage.tier import Tier


class Wreck:
    """The rows of a file, found without its index.  Raises OSError where it cannot be read at all."""

    def __init__(self, path: Path, tier: Tier) -> None:
        self._path = path
        self._width = len(columns(CELL, tier)) + 2
        self.tables: dict[str, dict[int, Row]] = {table: {} for table in COLUMNS}
        # What the file says of the size of its pages may be wrong, too.
        self._cells = {size: self._read(size) for size in PAGES}

    def _read(self, size: int) -> Numbers:
        """(n, 2) the ids of what may be cells, and their pages, if pages have this size."""
        cells: list[tuple[int, int]] = []
        with Leaves(self._path, size) as leaves:
            for page in range(1, leaves.count + 1):
                for row in leaves.rows(page):
                    self._keep(row)
                    if len(row) == self._width and 0 <= row[0] < 1 << 32:
                        cells.append((row[0], page))
        return np.array(sorted(cells), np.int64).reshape(-1, 2)

    def _keep(self, row: Row) -> None:
        for table, names in COLUMNS.items():
            if len(row) == len(names) + 2 and intact(table, row):
                number = row[0]
                # What SQLite let go of may still stand on a page: the newer counts.
                if age(table, row) >= age(table, self.tables[table].get(number, row)):
                    self.tables[table][number] = row

    def cells(self, wanted: dict[int, int]) -> Iterator[Row]:
        """Those of the cells, given with the version that they are of, that are intact."""
        numbers = np.array(sorted(wanted), np.int64)
        for size, cells in self._cells.items():
            pages = np.unique(cells[np.isin(cells[:, 0], numbers), 1])
            with Leaves(self._path, size) as leaves:
                for page in pages.tolist():
                    rows = (row for row in leaves.rows(page) if row[0] in wanted and len(row) == self._width)
                    yield from (row for row in rows if intact(CELL, row, wanted[row[0]]))

    def complete(self, tables: Tables) -> dict[str, dict[int, Row]]:
        """All that was read by the index, and what else is here."""
        whole = {table: {**self.tables[table], **tables.get(table, {})} for table in COLUMNS}
        newest = self.tables[STATE].get(1)
        if newest and age(STATE, newest) > age(STATE, whole[STATE][1]):
            whole[STATE][1] = newest
        return whole


def age(table: str, row: Row) -> int:
    """What grows from one version of a row to the next; other rows are never changed."""
    return row[{STATE: 2, SLOT: 3}[table]] if table in (STATE, SLOT) else 0
