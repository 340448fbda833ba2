"""The short form of `python -m tests.faults --only killed corrupted full`."""

from pathlib import Path
from random import Random

import pytest

from monitor.storage.shelf import Shelf
from monitor.storage.tier import RAW
from tests.faults import corrupted, full, killed
from tests.faults.alone import impossible
from tests.faults.samples import START, STEP, TARGETS, let_go, run, scrape, store

MISSING = impossible()


def test_what_was_acknowledged_outlives_kills_once_each(tmp_path: Path) -> None:
    found = killed.campaign(tmp_path, 8, Random(1))
    assert [row for row in killed.told(found) if not row.held] == []
    assert (found.kills, found.acknowledged > 0) == (8, True)


def test_a_log_is_left_behind_where_nobody_needs_it(tmp_path: Path) -> None:
    played = killed.Campaign(tmp_path, Random(1))
    made = store(played.folder, START)
    run(made, START - 2 * RAW.slot, START - RAW.slot)
    [log] = played.folder.glob("raw-*.log")
    (aside := tmp_path / "aside").write_bytes(log.read_bytes())
    run(made, START - RAW.slot, START)
    made.append(scrape(TARGETS[0], START + STEP))
    let_go(made)  # Two targets are in the slot before.
    played.now = START + STEP
    played.end()
    assert len(list(played.folder.glob("raw-*.log"))) == 2
    assert played.found.left == 0
    aside.rename(log)
    assert killed.unneeded(played.folder, Shelf(played.folder)) == 1


def test_a_wrong_byte_stops_no_start_and_makes_no_lie(tmp_path: Path) -> None:
    found = corrupted.campaign(tmp_path, 5, Random(1))
    assert [row for row in corrupted.told(found) if not row.held] == []
    assert found.bytes == 5


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
def test_a_full_disk_pauses_history_and_nothing_else() -> None:
    found = full.apart(4)
    assert [row for row in full.told(found) if not row.held] == []


def test_what_was_not_promised_stands_out() -> None:
    for broken in (killed.Outcome(lost=1), killed.Outcome(twice=1), killed.Outcome(rolled=1)):
        assert not all(row.held for row in killed.told(broken))
    for lies in (corrupted.Outcome(wrong=1), corrupted.Outcome(unnamed=1), corrupted.Outcome(refused=1)):
        assert not all(row.held for row in corrupted.told(lies))
