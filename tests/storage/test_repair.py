"""A file in which a byte is wrong: no lie is read, only what is named is lost, and it can be mended."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.storage import schema
from monitor.storage.repair import Progress, check, structure
from monitor.storage.schema import FORMAT, PAGE, PAGES, STATE, Damage, NewerError, sealed
from monitor.storage.shelf import Shelf
from monitor.storage.tier import RAW, SPAN, Slab
from tests.conftest import ExpectLog
from tests.storage.slabs import DATABASE, START, WEB, Held, all_of, expected, slabs

FLIPS = int(os.environ.get("MONITOR_FLIPS", "200"))
"""Files of which one byte is changed."""
SEED = int(os.environ.get("MONITOR_SEED", "1"))
TIMES = range(START + 45_000, START + 4 * RAW.slot, 45_000)


def rows() -> list[Slab]:
    """Four slots of two targets, so much that the cells have several pages."""
    found = []
    for web, database in zip(slabs(RAW, WEB, TIMES, 60), slabs(RAW, DATABASE, TIMES, 15), strict=True):
        found += [web, database]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file; some of its slots came in two parts."""
    folder = tmp_path_factory.mktemp("whole")
    shelf = Shelf(folder)
    for place, slab in enumerate(rows()):
        if place % 4 == 0:
            half = len(slab.times) // 2
            shelf.put(slab._replace(times=slab.times[half:], values=slab.values[:, half:]))
        shelf.put(slab)
    assert all_of(shelf) == expected(rows())
    shelf.close()
    return folder


TRUTH = expected(rows())


def flipped(content: bytes, place: int, bits: int) -> bytes:
    return b"".join((content[:place], bytes([content[place] ^ bits]), content[place + 1 :]))


def somewhere(chance: random.Random, size: int) -> int:
    """A place anywhere in a file, or near the head of a page, where the structure is."""
    if chance.random() < 0.5:
        return chance.randrange(size)
    return chance.randrange(size // PAGE) * PAGE + chance.randrange(256)


def unnamed(found: Held, told: list[Damage]) -> list[str]:
    """What is lost and in no damage; one names a series and the times of its slot, or what else is gone."""
    named = {(damage.what, damage.when) for damage in told}
    general = [damage for damage in told if "{" not in damage.what]
    lost = []
    for labels, samples in TRUTH.items():
        own = dict(labels)
        name = own.pop("__name__")
        text = f"{name}{{" + ", ".join(f'{label}="{value}"' for label, value in own.items()) + "}"
        for time in samples.keys() - found.get(labels, {}).keys():
            slot = RAW.slot_at(time)
            if not general and (text, (slot * RAW.slot, (slot + 1) * RAW.slot)) not in named:
                lost.append(f"{text} at {time}")
    return lost


def test_a_wrong_byte_anywhere_tells_no_lie_and_loses_only_what_is_named(whole: Path, tmp_path: Path) -> None:
    [source] = whole.iterdir()
    content, chance = source.read_bytes(), random.Random(SEED)
    for number in range(FLIPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        place, bits = somewhere(chance, len(content)), chance.randrange(1, 256)
        (folder / source.name).write_bytes(flipped(content, place, bits))
        told: list[Damage] = []
        shelf = Shelf(folder, told.append)
        found = all_of(shelf)
        where = f"byte {place} ^ {bits} (MONITOR_SEED={SEED}, flip {number})"
        wrong = [
            (labels, time)
            for labels, samples in found.items()
            for time, value in samples.items()
            if TRUTH.get(labels, {}).get(time) != value
        ]
        assert not wrong, where
        assert not unnamed(found, told), where
        shelf.close()
        (folder / source.name).unlink()


@pytest.mark.parametrize("place", [0, 18, 40, 101, 1000, PAGE - 30, PAGE + 3, 3 * PAGE - 2, 6 * PAGE + 3])
def test_what_could_be_read_of_a_damaged_file_is_there_after_it_was_written_to(
    whole: Path, tmp_path: Path, place: int, expect_log: ExpectLog
) -> None:
    [source] = whole.iterdir()
    path = tmp_path / source.name
    path.write_bytes(flipped(source.read_bytes(), place, 0xFF))
    before: list[Damage] = []
    shelf = Shelf(tmp_path, before.append)
    found = all_of(shelf)
    [late] = slabs(RAW, WEB, [START + 9 * RAW.slot], 3)
    shelf.put(late)
    shelf.close()
    after: list[Damage] = []
    again = Shelf(tmp_path, after.append)
    kept = expected([late])
    assert all_of(again) == {
        **found,
        **{labels: {**found.get(labels, {}), **rows} for labels, rows in kept.items()},
    }
    if (tmp_path / f"{source.name}.damaged").exists():
        expect_log("is damaged: it is set aside")
        assert after == []
    else:
        assert after == before
    again.close()


def test_a_file_without_any_order_is_mended_from_what_stands_on_its_pages(
    whole: Path, tmp_path: Path, expect_log: ExpectLog
) -> None:
    [source] = whole.iterdir()
    path = tmp_path / source.name
    path.write_bytes(bytes(PAGE) + source.read_bytes()[PAGE:])
    told: list[Damage] = []
    shelf = Shelf(tmp_path, told.append)
    assert all_of(shelf) == TRUTH
    assert told == []
    shelf.mend(RAW, START // RAW.slot // SPAN)
    expect_log("is damaged: it is set aside")
    assert all_of(shelf) == TRUTH
    [mended] = shelf.volumes(RAW, START + 1, START + 1)
    assert structure(mended)
    assert (tmp_path / f"{source.name}.damaged").read_bytes()[:PAGE] == bytes(PAGE)
    shelf.close()


def test_a_file_of_the_larger_pages_of_earlier_versions_is_read_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "PAGE", PAGES[1])
        shelf = Shelf(tmp_path)
        shelf.put(*rows())
        shelf.close()
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    assert int.from_bytes(content[16:18], "big") == PAGES[1]
    assert all_of(Shelf(tmp_path)) == TRUTH
    path.write_bytes(bytes(100) + content[100:])
    shelf = Shelf(tmp_path, lambda damage: None)
    assert all_of(shelf) == TRUTH
    shelf.mend(RAW, START // RAW.slot // SPAN)
    expect_log("is damaged: it is set aside")
    assert all_of(shelf) == TRUTH
    shelf.close()


def test_every_row_is_verified_with_progress(whole: Path, tmp_path: Path) -> None:
    [source] = whole.iterdir()
    content = bytearray(source.read_bytes())
    places = [page + PAGE - 40 for page in range(6 * PAGE, len(content), PAGE)]
    for place in places:
        content[place] ^= 0xFF
    (tmp_path / source.name).write_bytes(content)
    told: list[Damage] = []
    shelf = Shelf(tmp_path, told.append)
    [volume] = shelf.volumes(RAW, START + 1, START + 1)
    steps = list(check(volume, shelf.intern))
    assert steps == [Progress(done, 8) for done in range(9)]
    assert len([damage for damage in told if "{" in damage.what]) >= len(places) - 1
    assert "structure" not in str(told)
    shelf.close()


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(*slabs(RAW, WEB, [START + 1000]))
    shelf.close()
    [path] = tmp_path.iterdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        [row] = connection.execute("SELECT * FROM state").fetchall()
        connection.execute("DELETE FROM state")
        connection.execute(
            "INSERT INTO state VALUES (?,?,?,?,?,?,?,?)", sealed(STATE, 1, (FORMAT + 1, *row[2:-1]))
        )
    content = path.read_bytes()
    told: list[Damage] = []
    shelf = Shelf(tmp_path, told.append)
    assert all_of(shelf) == {}
    assert "written by a later version" in str(told)
    with pytest.raises(NewerError, match="format 2, expected 1 at most"):
        shelf.put(*slabs(RAW, WEB, [START + 2000]))
    assert path.read_bytes() == content
    shelf.close()
