"""A backup holds the past as it was, though the service goes on writing, and brings it back."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.storage.backup import MANIFEST, BackupError, back_up, belong, restore
from monitor.storage.store import StoreError
from monitor.storage.tier import RAW
from tests.storage.test_store import Machine

QUARTER = RAW.slot // 1000


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "state" / "history")
    machine.run(2 * QUARTER + 100, step=10_000)
    machine.store.writer.sync()
    machine.settle()
    yield machine
    machine.stop()


def brought_back(backup: Path, state: Path) -> Machine:
    """A machine that goes on from a backup."""
    restore(backup, state / "history", quiet)
    return Machine(state / "history")


def test_a_backup_of_a_service_that_writes_all_the_time_is_whole(machine: Machine, tmp_path: Path) -> None:
    before = dict(machine.measured)
    back_up(machine.folder, tmp_path / "backup", lambda done, total: machine.run(300, step=10_000))
    assert len(machine.measured) > len(before) + QUARTER // 10
    again = brought_back(tmp_path / "backup", tmp_path / "other")
    again.now = machine.now
    stored = again.stored()
    assert before.items() <= stored.items() <= machine.measured.items()
    again.stop()


def test_a_backup_of_a_service_that_does_not_run_is_all_that_there_was(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "state" / "history")
    machine.run(QUARTER + 7)
    machine.stop()
    back_up(machine.folder, tmp_path / "backup", quiet)
    again = brought_back(tmp_path / "backup", tmp_path / "other")
    again.now = machine.now
    assert again.stored() == machine.measured
    again.stop()


def test_of_an_earlier_backup_only_what_changed_is_copied(machine: Machine, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    first = back_up(machine.folder, backup, quiet)
    assert first.changed == first.files
    assert back_up(machine.folder, backup, quiet).changed == 0
    machine.run(5)
    assert back_up(machine.folder, backup, quiet).changed == 1
    machine.run(QUARTER, step=10_000)
    back_up(machine.folder, backup, quiet)
    names = {path.name for path in machine.folder.iterdir() if path.suffix in (".db", ".log", ".jsonl")}
    assert {path.name for path in backup.iterdir()} == {*names, MANIFEST}
    assert backup.stat().st_mode & 0o77 == 0


def test_a_copy_that_somebody_changed_is_made_anew(machine: Machine, tmp_path: Path) -> None:
    back_up(machine.folder, tmp_path / "backup", quiet)
    [copied] = (tmp_path / "backup").glob("raw-*.db")
    copied.unlink()
    assert back_up(machine.folder, tmp_path / "backup", quiet).changed == 1


def test_a_backup_that_was_cut_off_is_gone_on_with(machine: Machine, tmp_path: Path) -> None:
    def cut(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    backup = tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        back_up(machine.folder, backup, cut)
    assert not list(backup.glob("*.part"))
    with pytest.raises(BackupError, match="was cut off before it was whole; run `monitor backup` again"):
        restore(backup, tmp_path / "other" / "history", quiet)
    back_up(machine.folder, backup, quiet)
    known = dict(machine.measured)
    machine.run(QUARTER, step=10_000)
    with pytest.raises(KeyboardInterrupt):
        back_up(machine.folder, backup, cut)
    again = brought_back(backup, tmp_path / "other")
    again.now = machine.now
    assert known.items() <= again.stored().items() <= machine.measured.items()
    again.stop()


def test_a_damaged_file_is_copied_as_it_is(machine: Machine, tmp_path: Path) -> None:
    [path] = machine.folder.glob("raw-*.db")
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    back_up(machine.folder, tmp_path / "backup", quiet)
    assert (tmp_path / "backup" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("place", ["history", "history/within", ""])
def test_a_backup_is_not_put_into_what_it_copies(machine: Machine, place: str) -> None:
    with pytest.raises(BackupError, match="name a folder elsewhere"):
        back_up(machine.folder, machine.folder.parent / place, quiet)


def test_folders_that_are_something_else_are_left_alone(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("Dear")
    with pytest.raises(BackupError, match="has files that are no backup"):
        back_up(machine.folder, other, quiet)
    with pytest.raises(BackupError, match="expected a folder that `monitor backup` made"):
        restore(other, tmp_path / "state2" / "history", quiet)
    (other / MANIFEST).write_text(json.dumps({"format": 2, "files": {}}))
    with pytest.raises(BackupError, match="of a later version"):
        back_up(machine.folder, other, quiet)
    with pytest.raises(BackupError, match="there is no history"):
        back_up(tmp_path / "none", tmp_path / "new", quiet)
    assert sorted(path.name for path in other.iterdir()) == [MANIFEST, "letter.txt"]


def test_history_of_a_running_service_is_not_replaced(machine: Machine, tmp_path: Path) -> None:
    back_up(machine.folder, tmp_path / "backup", quiet)
    with pytest.raises(StoreError, match="is in use by another process; stop that one"):
        restore(tmp_path / "backup", machine.folder, quiet)


def test_rows_that_move_to_a_new_file_meanwhile_are_in_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "raw-0000000024.log").write_bytes(b"rows")

    def close(source: Path, _part: Path, _progress: object) -> None:
        source.unlink()
        sqlite3.connect(folder / "raw-00000001.db").execute("CREATE TABLE rows (id)").connection.close()
        raise FileNotFoundError

    monkeypatch.setattr("monitor.storage.backup.copy_bytes", close)
    back_up(folder, tmp_path / "backup", quiet)
    assert sorted(path.name for path in (tmp_path / "backup").glob("raw*")) == ["raw-00000001.db"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_a_link_leads_to_is_not_given_away(tmp_path: Path) -> None:
    folder, secret = tmp_path / "history", tmp_path / "secret"
    folder.mkdir()
    secret.touch()
    (folder / "raw-00000001.db").symlink_to(secret)
    like = tmp_path / "like"
    like.mkdir()
    os.chown(like, 12345, 12345)
    belong(folder, like)
    owners = [path.lstat().st_uid for path in (folder, folder / "raw-00000001.db", secret)]
    assert owners == [12345, 12345, 0]


def test_what_was_there_is_kept_aside(machine: Machine, tmp_path: Path) -> None:
    back_up(machine.folder, tmp_path / "backup", quiet)
    known = dict(machine.measured)
    machine.run(10)
    machine.stop()
    aside = restore(tmp_path / "backup", machine.folder, quiet)
    assert aside is not None
    assert aside.name.startswith("history.before-")
    before = Machine(aside)
    before.now = machine.now
    assert before.stored() == machine.measured
    before.stop()
    machine.store = machine.start()
    assert machine.stored() == known
