"""The tables of one file of history, and the seal that every row of them bears.

A file is a SQLite database of 16 KiB pages with a rollback journal: a write-ahead log cannot be opened on a
full disk, and writes all twice.  `synchronous=FULL` waits for the device at each commit.  Ids count up from 1
in each table and `state` holds how many there are, so that a row which is missing is missed.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from monitor.model import Labels
from monitor.storage.tier import SPAN, Tier

FORMAT = 1
"""Of the tables below; a file says which it has, in `state` and in its header (user_version)."""
APPLICATION = 0x4D4F4E48
"""What the header of a file says it is of (application_id): MONH."""
PAGE = 16384
"""Bytes of a page: with each slot that is closed five pages that are there already are written twice."""
PAGES = (PAGE, 32768)
"""Those of files that are to be read: earlier versions made larger ones."""
PATIENCE = 30.0
"""Seconds that one connection waits for another's commit."""

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises for a broken file; what it says of it may be no text."""

Value = int | float | bytes | None
Row = tuple[Any, ...]
"""The id of a row, its values, and its seal."""

STATE, TARGET, METRIC, NAMES, SLOT, CELL = "state", "target", "metric", "names", "slot", "cell"
COLUMNS: dict[str, tuple[str, ...]] = {
    # One row: the format, how often the file was written, and how many there are of each.
    STATE: ("format", "version", "targets", "metrics", "series", "slots"),
    TARGET: ("labels",),
    # `name` is that of the series, `family` the metric's, which differ for parts of a histogram.
    METRIC: ("name", "family", "kind", "unit", "help"),
    # `count` series of one metric and target, whose ids are this row's and those that follow.
    NAMES: ("target", "metric", "count", "labels"),
    # The times of a target's rows in a slot, the ids of the series that have a cell in it, and which version
    # of the file this row and the cells are of.
    SLOT: ("target", "slot", "written", "times", "series"),
}


STEPS: dict[int, Callable[[sqlite3.Connection, Tier], None]] = {}
"""By format: what changes the tables of a file to those of the next.  Seals are to be made anew by it where
their rows change; `state` is seen to.  Called within a transaction."""


class Damage(NamedTuple):
    """Something that was stored and cannot be read any more."""

    file: Path
    what: str
    when: tuple[int, int] | None
    """Milliseconds between which it lay, where that is known."""

    def __str__(self) -> str:
        time = "" if self.when is None else f" between {self.when[0]} and {self.when[1]} ms"
        return f"{self.file.name}: {self.what}{time}"


class DamagedError(Exception):
    """A file that nothing may be written to before it is repaired."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; expected a whole file of history")
        self.path = path


class NewerError(Exception):
    """A file that a later version of this program wrote."""

    def __init__(self, path: Path, found: int) -> None:
        super().__init__(
            f"{path}: written by a later version (format {found}, expected {FORMAT} at most); "
            "run that version, or move the file away"
        )


def columns(table: str, tier: Tier) -> tuple[str, ...]:
    """What a row of a table holds between its id and its seal."""
    return tier.aspects if table == CELL else COLUMNS[table]


def seal(table: str, number: int, values: Iterable[Value], written: int = 0) -> int:
    """Checksum (CRC-32, as SQLite keeps it in four bytes) of a row, its id and its types.

    A cell's covers what its slot says in `written`, too: it says nothing without the times of that version.
    """
    crc = zlib.crc32(b"%s %d %d" % (table.encode(), number, written))
    for value in values:
        if isinstance(value, bytes):
            crc = zlib.crc32(value, zlib.crc32(b"bytes %d" % len(value), crc))
        elif isinstance(value, float):
            crc = zlib.crc32(struct.pack("<cd", b"f", value), crc)
        else:
            crc = zlib.crc32(b"none" if value is None else b"int %d" % value, crc)
    return crc - (1 << 31)


def sealed(table: str, number: int, values: Sequence[Value], written: int = 0) -> Row:
    """A whole row, as it is stored."""
    return (number, *values, seal(table, number, values, written))


def intact(table: str, row: Row, written: int = 0) -> bool:
    """Whether a row says what was written."""
    return bool(row[-1] == seal(table, row[0], row[1:-1], written))


def cell_number(slot: int, series: int) -> int:
    """The id of a cell; those of a slot lie together, in the order of their series."""
    return (slot % SPAN) << 24 | series


def connect(path: Path, tier: Tier, *, write: bool = False, create: bool = False) -> sqlite3.Connection:
    """A connection without implicit transactions, for any one thread at a time.  Raises sqlite3.Error.

    With `create` there is a file without bytes at first; `create_tables` begins its first transaction.
    """
    mode = "rwc" if create else "rw" if write else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=PATIENCE,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA cache_size=-512")
        connection.execute("PRAGMA temp_store=MEMORY")
        if write or create:
            connection.execute("PRAGMA synchronous=FULL")
        if create:
            connection.execute(f"PRAGMA page_size={PAGE}")
        elif _is_older(connection):
            _bring_forward(path, tier)
    except UNREADABLE:
        connection.close()
        raise
    return connection


def create_tables(connection: sqlite3.Connection, tier: Tier) -> None:
    """Make an empty file one of history, within a transaction that gives it its state."""
    connection.execute(f"PRAGMA application_id={APPLICATION}")
    connection.execute(f"PRAGMA user_version={FORMAT}")
    for table in (*COLUMNS, CELL):
        names = ", ".join(columns(table, tier))
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {names}, crc)")


def _is_older(connection: sqlite3.Connection) -> bool:
    """Whether a file is of an earlier format that there is a way from."""
    if not STEPS:
        return False
    row = connection.execute(f"SELECT * FROM {STATE} WHERE id = 1").fetchone()  # noqa: S608
    return row is not None and intact(STATE, row) and row[1] in STEPS


def _bring_forward(path: Path, tier: Tier) -> None:
    """Change a file of an earlier format to the present one, in one transaction, whoever else begins to."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        while _is_older(connection):
            [number] = connection.execute(f"SELECT format FROM {STATE}").fetchone()  # noqa: S608
            STEPS[number](connection, tier)
            row = connection.execute(f"SELECT * FROM {STATE}").fetchone()  # noqa: S608
            marks = ", ".join("?" * len(row))
            fresh = sealed(STATE, 1, (number + 1, *row[2:-1]))
            connection.execute(f"INSERT OR REPLACE INTO {STATE} VALUES ({marks})", fresh)  # noqa: S608
            connection.execute(f"PRAGMA user_version={number + 1}")
        connection.execute("COMMIT")


def pack_labels(own: Sequence[Labels]) -> bytes:
    """Label sets as JSON, compressed where that is shorter."""
    flat = [[part for pair in labels for part in pair] for labels in own]
    text = json.dumps(flat, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    packed = zlib.compress(text, 9)
    return packed if len(packed) < len(text) else text


def unpack_labels(packed: bytes) -> list[Labels]:
    """What `pack_labels` was given."""
    text = packed if packed.startswith(b"[") else zlib.decompress(packed)
    flat: list[list[str]] = json.loads(text.decode(errors="surrogatepass"))
    return [tuple(zip(parts[::2], parts[1::2], strict=True)) for parts in flat]
