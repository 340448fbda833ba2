"""systemd's journal: counted by unit and priority from now on, through all that happens to its files."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.collect import Host
from monitor.collect.journal import MOST, Journal, meaning
from monitor.collect.journald.fields import FAILED, RESTARTED
from monitor.collect.journald.follow import BEHIND, FILES, LISTED
from monitor.collect.journald.troubles import QUIET, UNITS, Troubles
from monitor.model import Event
from tests.collect.journald import Journald, journald, missing
from tests.collect.samples import Read, host, numbers
from tests.collect.test_loop import Run

RECORDED = "var/log/journal/0123456789abcdef0123456789abcdef/system.journal"
HERE = Path(host("rack").rootfs)


class Passes:
    """A collector that is asked once a second."""

    def __init__(self, host: Host, source: Journal | None = None) -> None:
        self.host = host
        self.source = source or Journal()
        self.now = 1000.0

    def counts(self, seconds: float = 1) -> dict[str, float]:
        """What is counted by priority and of all, after so many seconds; zeros left out."""
        self.now += seconds
        self.host.fresh(self.now)
        found: dict[str, float] = {}
        for series, value in numbers(self.source.collect(self.host)).items():
            labels = dict(series.labels)
            name = labels.get("priority") or labels.get("collector") or "lost"
            found[name] = found.get(name, 0) + value
        return {name: value for name, value in found.items() if value}

    def settled(self) -> dict[str, float]:
        """The same, when all that is new was read."""
        before = self.counts()
        while before != (after := self.counts()):
            before = after
        return after


@pytest.fixture(params=["1", "0"], ids=["compact", "regular"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journald]:
    """A journald, with files of either format."""
    if lacking := missing():
        pytest.skip(f"a journald cannot be run without {lacking}")
    with journald(tmp_path, {"SYSTEMD_JOURNAL_COMPACT": request.param}, Storage="volatile") as made:
        yield made


@pytest.fixture
def passes() -> Iterator[list[Passes]]:
    """Collectors to let go of."""
    made: list[Passes] = []
    yield made
    for each in made:
        each.source.close()


def copied(folder: Path) -> Path:
    """The recorded journal below a root of its own."""
    (folder / "etc").mkdir()
    shutil.copyfile(HERE / "etc/machine-id", folder / "etc/machine-id")
    path = folder / RECORDED
    path.parent.mkdir(parents=True)
    shutil.copyfile(HERE / RECORDED, path)
    return path


def test_messages_count_from_now_on(real: Journald, passes: list[Passes]) -> None:
    real.say(3, 7)
    passes.append(one := Passes(real.host))
    assert one.settled() == {}
    real.say(3, 2)
    real.say(6, 1)
    assert one.settled() == {"err": 2, "info": 1}


def test_files_are_followed_when_they_are_rotated_and_removed(real: Journald, passes: list[Passes]) -> None:
    passes.append(one := Passes(real.host))
    one.settled()
    for _ in range(3):
        real.say(4, 3)
        real.ask("--rotate")
        real.say(4, 2)
        real.ask("--rotate")
        real.say(4, 1)
        one.counts()
    real.ask("--vacuum-files=1")
    real.say(4, 1)
    assert one.settled()["warning"] == 19
    files = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert [path.rpartition("/")[2] for path in files if path.startswith("/run/log/journal/")] == [
        "system.journal"
    ]


def test_a_journald_that_ends_or_is_killed_is_followed_when_it_is_back(
    real: Journald, passes: list[Passes]
) -> None:
    passes.append(one := Passes(real.host))
    one.settled()
    for kill in (False, True):
        real.say(4, 5)
        real.stop(kill=kill)
        real.start()
        real.say(4, 5)
    assert one.settled()["warning"] == 20


def test_what_is_moved_from_run_to_var_is_not_counted_again(tmp_path: Path, passes: list[Passes]) -> None:
    if lacking := missing():
        pytest.skip(f"a journald cannot be run without {lacking}")
    with journald(tmp_path, Storage="persistent") as real:
        passes.append(one := Passes(real.host))
        one.settled()
        real.say(4, 5)
        assert one.settled()["warning"] == 5
        real.ask("--flush")
        real.say(4, 2)
        assert (real.root / "var/log/journal").exists()
        one.counts(LISTED)
        assert one.settled()["warning"] == 7


def test_a_flood_is_read_over_several_passes(real: Journald, passes: list[Passes]) -> None:
    passes.append(one := Passes(real.host))
    one.settled()
    real.say(6, 10_000)
    seen: list[int] = []
    while not seen or seen[-1] < 10_000:
        before = sum(one.source._counts.values())
        one.counts()
        seen.append(sum(one.source._counts.values()))
        assert 0 < seen[-1] - before <= MOST
    assert 10 <= len(seen) <= 40
    assert one.settled() == {"info": 10_000}


def test_what_came_faster_than_it_is_read_is_passed_over_and_said(
    real: Journald, passes: list[Passes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.collect.journald.follow.BEHIND", 100)
    monkeypatch.setattr("monitor.collect.journal.MOST", 50)
    passes.append(one := Passes(real.host))
    one.settled()
    real.say(6, 1000)
    assert one.settled() == {"info": 50, "lost": 950}
    real.say(5, 3)
    assert one.settled() == {"info": 50, "lost": 950, "notice": 3}
    assert BEHIND == 20_000


def test_messages_of_a_file_that_is_removed_before_it_is_read_are_said_to_be_lost(
    real: Journald, passes: list[Passes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.collect.journal.MOST", 20)
    passes.append(one := Passes(real.host))
    one.settled()
    real.say(4, 100)
    one.counts()
    real.ask("--rotate")
    one.counts()
    real.ask("--vacuum-files=1")
    found = one.settled()
    assert found["lost"] > 0
    assert found["lost"] + found["warning"] == 100


def test_messages_that_are_long_or_have_many_fields_are_counted(real: Journald, passes: list[Passes]) -> None:
    passes.append(one := Passes(real.host))
    one.settled()
    real.say(6, 3, LONG="x" * 150_000)
    real.say(5, 2, **{f"FIELD{number}": str(number) for number in range(900)})
    real.say(4, 2)
    assert one.settled() == {"info": 3, "notice": 2, "warning": 2}


def test_the_units_of_a_recorded_machine_fail_and_restart_on_the_time_line() -> None:
    source, machine = Read(), host("rack")
    machine.fresh(2_000_000_000)
    list(source.collect(machine))
    events = source.happened()
    assert [(event.kind, event.text) for event in events] == [
        ("failed", "web.service failed: exit-code"),
        ("restart", "web.service is restarted: restart 1"),
        ("failed", "web.service failed 4 times"),
        ("restart", "web.service is restarted 3 times"),
    ]
    assert events[0].time == events[0].end < events[2].time < events[2].end
    assert source.happened() == []
    source.close()


def test_who_else_says_that_a_unit_failed_is_not_believed() -> None:
    said = (("MESSAGE_ID", FAILED), ("UNIT", "sshd.service"), ("UNIT_RESULT", "signal"), ("PRIORITY", "3"))
    assert meaning(said).kind == ""
    assert meaning((*said, ("_PID", "1"))).detail == ": signal"
    assert meaning((("MESSAGE_ID", RESTARTED), ("_PID", "1"))).kind == ""


def test_units_and_priorities_are_what_journald_says_and_few() -> None:
    session = (("_SYSTEMD_UNIT", "session-7.scope"), ("_SYSTEMD_SLICE", "user-1000.slice"))
    assert meaning(session)[:2] == ("user-1000.slice", "none")
    assert meaning((("_TRANSPORT", "kernel"), ("PRIORITY", "4")))[:2] == ("kernel", "warning")
    assert meaning((("PRIORITY", "77"),))[:2] == ("none", "none")
    source, machine = Read(), host("rack")
    source._most = 2
    units = {dict(series.labels).get("unit") for series in numbers(source.collect(machine))}
    assert units - {None} == {"systemd-journald.service", "init.scope", "none", "other"}
    source.close()


def test_a_series_begins_at_zero(tmp_path: Path, passes: list[Passes]) -> None:
    copied(tmp_path)
    passes.append(one := Passes(Host(rootfs=str(tmp_path)), Journal(past=True)))
    assert one.counts() == {}
    assert sum(one.settled().values()) == 42


def test_units_that_go_round_in_circles_do_not_fill_the_time_line() -> None:
    troubles = Troubles()
    told: list[Event] = []
    for second in range(3600):
        for tenth in range(10):
            troubles.note(second * 1000 + tenth * 100, "restart", "web.service", f": restart {second}")
        told += troubles.told(second * 1000 + 999)
    assert 59 <= len(told) <= 61
    assert told[1].text.startswith("web.service is restarted 60")
    assert told[1].end - told[1].time <= QUIET + 1000
    for number in range(10 * UNITS):
        troubles.note(3_600_000, "failed", f"{number}.service", "")
    told = troubles.told(3_600_000 + 2 * QUIET)
    assert len(told) == UNITS + 1
    assert told[-1].text == f"other units failed {9 * UNITS + 1} times"
    assert troubles.told(3_600_000 + 4 * QUIET) == []
    assert not troubles._again


def test_a_file_that_is_cut_is_left_out_and_the_others_go_on(
    real: Journald, passes: list[Passes], caplog: pytest.LogCaptureFixture
) -> None:
    passes.append(one := Passes(real.host))
    one.settled()
    (folder,) = (real.root / "run/log/journal").iterdir()
    other = folder / "user-1000.journal"
    shutil.copy(folder / "system.journal", other)
    one.counts(LISTED)
    one.settled()
    os.truncate(other, 100)
    real.say(4, 5)
    assert one.settled() == {"warning": 5, "journal": 1} | one.settled()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "8 bytes expected at 152, it ends before" in caplog.text
    caplog.clear()
    shutil.copy(folder / "system.journal", other)
    one.counts(2 * LISTED)
    assert "journal" not in one.settled()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Within it this process has no rights, where it had any."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_journal_that_is_kept_from_the_service_says_once_what_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = copied(folder)
        path.chmod(0)
        made = Run({"journal": Journal()}, host=Host(rootfs=name))
        with caplog.at_level(logging.INFO), as_nobody():
            asyncio.run(made.until(3))
    found = numbers(made.scrapes[-1].blocks)
    assert [value for series, value in found.items() if series.name == "node_scrape_collector_success"] == [0]
    told = [text for text in caplog.messages if "the service needs the group systemd-journal" in text]
    assert len(told) == 1
    assert str(path) in told[0]


def test_a_host_without_a_journal_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    with pytest.raises(FileNotFoundError, match="no journal of systemd's"):
        list(Journal().collect(Host(rootfs=str(tmp_path))))


def test_more_files_than_are_read_are_told_of(
    tmp_path: Path, passes: list[Passes], caplog: pytest.LogCaptureFixture
) -> None:
    path = copied(tmp_path)
    for number in range(FILES):
        shutil.copy(path, path.with_name(f"user-{number}.journal"))
    passes.append(one := Passes(Host(rootfs=str(tmp_path))))
    assert one.settled() == {"journal": 1}
    assert f"no more than {FILES} files of a journal are read" in caplog.text
    caplog.clear()
