"""Files of other versions of this program."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.storage import schema
from monitor.storage.schema import FORMAT, STATE, NewerError, sealed
from monitor.storage.shelf import Shelf
from monitor.storage.tier import RAW, Tier
from tests.storage.slabs import START, WEB, all_of, expected, slabs


def make_newer(path: Path) -> None:
    """As a later version would write it."""
    set_format(path, FORMAT + 1)


def set_format(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        [row] = connection.execute("SELECT * FROM state").fetchall()
        connection.execute("DELETE FROM state")
        connection.execute(
            "INSERT INTO state VALUES (?,?,?,?,?,?,?,?)", sealed(STATE, 1, (number, *row[2:-1]))
        )
        connection.execute(f"PRAGMA user_version={number}")


def rename(connection: sqlite3.Connection, tier: Tier) -> None:
    """A step from a format in which the help of a metric had another name."""
    assert tier is RAW
    assert connection.in_transaction
    connection.execute("ALTER TABLE metric RENAME COLUMN explained TO help")


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the format before this one."""
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, range(START + 1000, START + 60_000, 1000)))
    shelf.close()
    [path] = tmp_path.iterdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE metric RENAME COLUMN help TO explained")
    set_format(path, FORMAT - 1)
    monkeypatch.setitem(schema.STEPS, FORMAT - 1, rename)
    return path


def formats(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as connection:
        [header] = connection.execute("PRAGMA user_version").fetchone()
        [state] = connection.execute("SELECT format FROM state").fetchone()
    return header, state


def test_a_file_of_an_earlier_format_is_brought_forward_when_it_is_read(older: Path) -> None:
    told: list[schema.Damage] = []
    shelf = Shelf(older.parent, told.append)
    assert all_of(shelf) == expected(slabs(RAW, WEB, range(START + 1000, START + 60_000, 1000)))
    shelf.close()
    assert told == []
    assert formats(older) == (FORMAT, FORMAT)


def test_a_file_of_an_earlier_format_is_brought_forward_when_it_is_written(older: Path) -> None:
    shelf = Shelf(older.parent)
    shelf.put(*slabs(RAW, WEB, range(START + 60_000, START + 120_000, 1000)))
    assert all_of(shelf) == expected(slabs(RAW, WEB, range(START + 1000, START + 120_000, 1000)))
    shelf.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection, tier: Tier) -> None:
        rename(connection, tier)
        connection.execute("no statement")

    monkeypatch.setitem(schema.STEPS, FORMAT - 1, fail)
    content = older.read_bytes()
    with pytest.raises(sqlite3.OperationalError):
        schema.connect(older, RAW)
    assert older.read_bytes() == content


def test_a_file_of_a_later_format_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, [START + 1000]))
    shelf.close()
    [path] = tmp_path.iterdir()
    make_newer(path)
    content = path.read_bytes()
    told: list[schema.Damage] = []
    shelf = Shelf(tmp_path, told.append)
    assert all_of(shelf) == {}
    assert f"{path}: written by a later version" in str(told)
    with pytest.raises(NewerError, match=path.name):
        shelf.put(*slabs(RAW, WEB, [START + 2000]))
    shelf.close()
    assert path.read_bytes() == content
