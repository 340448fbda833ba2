"""Rows are read off the pages as SQLite wrote them, long ones, too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from monitor.storage.leaves import Leaves
from monitor.storage.schema import PAGE, PAGES

NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 127, 128, 2**15, 2**23, 2**31, 2**47])
)
BYTES = st.one_of(
    st.binary(max_size=30), st.integers(0, 3 * PAGE).map(bytes), st.integers(PAGE - 80, PAGE).map(bytes)
)
VALUES = st.tuples(st.one_of(NUMBERS, st.floats(allow_nan=False)), BYTES, st.none())


@given(st.dictionaries(st.integers(0, 2**63 - 1), VALUES, max_size=12), st.sampled_from(PAGES))
def test_every_row_of_a_file_is_found(rows: dict[int, tuple[float, bytes, None]], size: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "some.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"PRAGMA page_size={size}")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, number, bytes, empty)")
            given_rows = [(number, *row) for number, row in rows.items()]
            connection.executemany("INSERT INTO kept VALUES (?, ?, ?, ?)", given_rows)
        with Leaves(path, size) as leaves:
            found = [row for page in range(1, leaves.count + 1) for row in leaves.rows(page)]
    kept = {number: row for number, *row in found if len(row) == 3 and number in rows}
    assert kept == {number: list(row) for number, row in rows.items()}
