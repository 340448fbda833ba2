"""A disk that is full under the store, or read-only at its start: a tmpfs in a name space of mounts."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from monitor.storage.store import Retention, Store, StoreError
from monitor.storage.tier import HOUR, MINUTE, RAW
from tests.faults.alone import alone, impossible
from tests.faults.options import Options
from tests.faults.row import Row
from tests.faults.samples import RETENTION, START, TARGETS, let_go, read, run, store, wrong

TITLE = "D3: a full disk and a read-only one"
SIZE = 6 << 20
ROUNDS = 10
REMOUNT, READ_ONLY = 0x20, 0x1
"""mount(2): MS_REMOUNT, MS_RDONLY."""
libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Outcome:
    rounds: int = 0
    said: list[str] = field(default_factory=list)
    """What the store said, in turn."""
    unseen: int = 0
    """Rows that the live view did not have while nothing could be written."""
    lost: int = 0
    wrong: int = 0
    paused: int = 0
    """Pauses that are marked."""
    starts: int = 0
    """Starts on a full disk."""
    unlinked: int = 0
    """Files that retention took on a full disk."""
    refused: str = ""
    """What a start on a read-only file system says."""
    second: str = ""
    """What a second process is told."""


def rows(options: Options) -> Iterator[Row]:
    missing = impossible()
    if missing:
        yield Row(missing, "not run", held=False)
        return
    yield from told(apart(options.of(ROUNDS)))


def told(found: Outcome) -> Iterator[Row]:
    full = found.said.count("disk full")
    yield Row("pauses by a full disk, named so", full, full == found.rounds)
    yield Row("of them over by themselves, and marked", found.paused, found.paused == found.rounds)
    yield Row("starts on the full disk", found.starts, found.starts == found.rounds + 1)
    yield Row("rows missing in the live view meanwhile", found.unseen, not found.unseen)
    yield Row("rows of the pauses that are not stored afterwards", found.lost, not found.lost)
    yield Row("samples with a wrong value", found.wrong, not found.wrong)
    yield Row("files that retention took while the disk was full", found.unlinked, found.unlinked > 0)
    yield Row("a start on a read-only file system is refused", found.refused, bool(found.refused))
    yield Row("a second process is refused", found.second, bool(found.second))


def apart(rounds: int) -> Outcome:
    """The campaign in a name space of its own."""
    return Outcome(**alone("tests.faults.full", [rounds]))


def mount(folder: Path, flags: int = 0, options: str = "") -> None:
    if libc.mount(b"none", bytes(folder), b"tmpfs", flags, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {folder}")


def campaign(folder: Path, rounds: int) -> Outcome:
    found, history = Outcome(), folder / "history"
    mount(folder, options=f"size={SIZE}")
    now = START
    made = store(history, now)
    for _ in range(rounds):
        now = run(made, now, now + 20 * MINUTE)
        fill(folder)
        made = again(made, history, now, found)
        fill(folder)  # A stop gives room back that logs had asked for.
        now = pause(made, now, found)
        (folder / "ballast").unlink()
        now = over(made, now, found)
        found.second = refusal(history, now)
        now = run(made, now, now + 80 * MINUTE)
        made.writer.sync()
        check(made, now, found)
        found.rounds += 1
    fill(folder)
    made, now = thin(made, history, now, found)
    made.close()
    mount(folder, REMOUNT | READ_ONLY)
    found.refused = refusal(history, now)
    return found


def fill(folder: Path) -> None:
    """To the last byte."""
    with (folder / "ballast").open("ab", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return


def again(made: Store, history: Path, now: int, found: Outcome, retention: Retention = RETENTION) -> Store:
    """The service stops and starts on the full disk."""
    made.close()
    made = store(history, now, retention)
    found.starts += 1
    return made


def thin(made: Store, history: Path, now: int, found: Outcome) -> tuple[Store, int]:
    """Less is to be kept than there is, on the full disk."""
    before = set(made.shelf.spans(RAW))
    made = again(made, history, now, found, RETENTION._replace(size=1))
    now = run(made, now, now + 16 * MINUTE)
    made.writer.sync()
    assert made.flush().wait(30)
    found.unlinked = len(before - set(made.shelf.spans(RAW)))
    return made, now


def pause(made: Store, now: int, found: Outcome) -> int:
    """Rows come, and a slot ends, while nothing can be written."""
    start, now = now, run(made, now, now + 16 * MINUTE)
    made.writer.sync()
    assert made.flush().wait(30)
    found.said.append(made.writer.trouble)
    for target in TARGETS:
        seen = [each for each in made.select((), start + 1, now) if each.target == target]
        found.unseen += (now - start) // 5000 - sum(len(each.timestamps) for each in seen)
    return now


def over(made: Store, now: int, found: Outcome) -> int:
    now = run(made, now, now + MINUTE)
    made.writer.sync()
    assert made.flush().wait(30)
    found.paused += made.writer.trouble == "" and made.events.between(now - HOUR, now)[-1].kind == "paused"
    return now


def check(made: Store, now: int, found: Outcome) -> None:
    """All of the newest hours is there."""
    assert made.flush().wait(30)
    first = now - 2 * HOUR + MINUTE
    expected = np.arange(max(START, first) + 5000, now + 1, 5000)
    for target in TARGETS:
        selection = read(made, target, int(expected[0]), now)
        found.lost += len(np.setdiff1d(expected, selection.timestamps)) if selection else len(expected)
        found.wrong += wrong(selection, target) if selection else 0


def refusal(history: Path, now: int) -> str:
    try:
        let_go(store(history, now))
    except StoreError as error:
        return str(error).replace(str(history.parent), "")
    return ""


if __name__ == "__main__":
    # The name space goes with the process, and the mount with it; its threads must not hold up the end.
    place = Path(tempfile.mkdtemp())
    code = 1
    try:
        json.dump(asdict(campaign(place, *json.loads(sys.argv[1]))), sys.stdout)
        sys.stdout.flush()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        libc.umount2(bytes(place), 2)
        place.rmdir()
        os._exit(code)
