"""A changed configuration under a running service: taken as a whole, or refused with the old one in force."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from monitor import checking, reading
from monitor.config import ConfigError, Loaded, Origin, Place, Problem, Settings, load
from monitor.config.read import Question, Read
from monitor.reading import Reader
from monitor.reload import MOST, Reload
from monitor.telemetry import Telemetry
from tests.conftest import ExpectLog
from tests.reloaded import BOARD, Client, running


@pytest.mark.gen_test
async def test_a_good_file_is_taken_and_a_bad_one_leaves_everything_as_it_was(
    tmp_path: Path, expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitor.reload")
    expect_log("the configuration was not taken, and the one before stays in force; to correct: ")
    async with running(tmp_path, really=True) as run:
        await run.take(server__query__series=7, server__websocket__max_clients=5)
        assert run.service.settings.server.query.series == 7
        assert "server.websocket.max_clients: 1000 -> 5" in caplog.text
        telemetry, taken_at = run.service.telemetry, run.service.telemetry.config_taken_at
        await run.refuse(server__query__series=8, log__level="loud", boards=["nowhere"])
        assert run.service.settings.server.query.series == 7
        assert (telemetry.config_successful, telemetry.config_taken_at) == (0, taken_at)
        page = (await run.answer("metrics")).body.decode()
        assert "\nmonitor_config_last_reload_successful 0" in page
        assert f"{run.path}:" in caplog.text
        assert caplog.text.count("stays in force") == 1
        await run.take(server__query__series=8)
        assert (telemetry.config_successful, run.service.settings.server.query.series) == (1, 8)
        assert telemetry.config_taken_at > taken_at


@pytest.mark.gen_test
async def test_what_needs_a_restart_stays_and_is_named(tmp_path: Path, expect_log: ExpectLog) -> None:
    expect_log("^WARNING monitor.reload: needs a restart: server.max_body; collect.job$")
    async with running(tmp_path) as run:
        before = run.service.settings
        await run.take(collect__job="web", server__max_body="2MiB", server__query__series=9)
        held = run.service.settings
        assert (held.collect, held.server.max_body, held.server.query.series) == (before.collect, 1 << 20, 9)
        assert (await run.get("api/boards"))["configuration"]["waiting"] == ["server.max_body", "collect.job"]
        assert run.service.telemetry.config_waiting == 2
        await run.take()
        assert (await run.get("api/boards"))["configuration"]["waiting"] == []
        assert run.service.telemetry.config_waiting == 0


@pytest.mark.gen_test
async def test_viewers_that_this_machine_has_no_memory_for_are_refused(
    tmp_path: Path, expect_log: ExpectLog
) -> None:
    expect_log("server.websocket.max_clients: memory of the viewers: .* this exceeds the limit")
    async with running(tmp_path) as run:
        await run.refuse(server__websocket__max_clients=100_000, server__websocket__backlog="16GiB")
        assert run.service.audience.doors.clients == 1000


@pytest.mark.gen_test
async def test_a_file_that_is_gone_is_a_refusal(tmp_path: Path, expect_log: ExpectLog) -> None:
    expect_log("config.yaml: cannot be read")
    async with running(tmp_path) as run:
        run.path.unlink()
        assert not await run.service.reload.now()
        problems = (await run.get("api/boards"))["configuration"]["problems"]
        assert [(each["place"], each["path"]) for each in problems] == [("config.yaml", "")]


@pytest.mark.gen_test
async def test_everybody_hears_of_a_refusal_and_of_its_end(tmp_path: Path, expect_log: ExpectLog) -> None:
    expect_log("log.level")
    async with running(tmp_path) as run:
        early = await Client.come(run)
        version = early.welcome["server"]["configuration"]
        assert (await run.get("api/boards"))["version"] == version
        await run.refuse(log__level="loud")
        refused = (await early.heard("notice", code="configuration"))["details"]["version"]
        assert refused != version
        late = await Client.come(run)
        assert late.welcome["server"]["configuration"] == refused
        told = await run.get("api/boards")
        assert told["version"] == refused
        (problem,) = told["configuration"]["problems"]
        assert problem["path"] == "log.level"
        assert problem["place"].startswith("config.yaml:")
        assert problem["text"] == 'found "loud", expected one of debug, info, warning, error'
        await run.take()
        for client in (early, late):
            again = await client.heard("notice", code="configuration")
            assert again["details"]["version"] == version
            await client.go()


@pytest.mark.gen_test
async def test_a_reload_that_changes_nothing_tells_nobody(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        client = await Client.come(run)
        assert await run.service.reload.now()
        await client.heard("beat")
        await client.heard("beat")
        assert {message["type"] for message in client.passed} <= {"beat"}
        await client.go()


@pytest.mark.gen_test
async def test_who_asked_is_told_when_it_begins_and_when_it_is_over(
    tmp_path: Path, expect_log: ExpectLog
) -> None:
    expect_log("log.level")
    async with running(tmp_path) as run:
        said: list[str] = []
        run.service.reload.begins = lambda: said.append("begins")
        run.service.reload.over = lambda: said.append(f"over: {run.service.settings.server.query.series}")
        await run.take(server__query__series=7)
        await run.refuse(log__level="loud")
        assert said == ["begins", "over: 7"] * 2


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry("0")
    yield made
    made.close()


@pytest.mark.gen_test
async def test_a_configuration_with_very_many_problems_does_not_fill_the_log(
    telemetry: Telemetry, expect_log: ExpectLog
) -> None:
    async def read(_held: Settings) -> Read:
        raise ConfigError(Problem(Place("f", line, 1), "key", "wrong") for line in range(1, 1000))

    expect_log(f"f:{MOST}:1: key: wrong; and {999 - MOST} more$")
    reload = Reload(Settings(), Origin(), read, telemetry)
    assert not await reload.now()
    assert len(reload.standing.problems) == 999


@pytest.mark.gen_test
async def test_what_cannot_be_taken_in_part_is_refused(telemetry: Telemetry, expect_log: ExpectLog) -> None:
    """Settings of one rule, of which one needs a restart, are taken together or not at all."""
    old = load(None, {}, {"collect.interval": "1m", "storage.head.window": "1h"}).settings
    new = old.model_copy(update={"storage": Settings().storage})

    async def read(held: Settings) -> Read:
        return checking.compared(Question(None, {}, held), Loaded(new, {}, ()))

    reload = Reload(old, Origin(), read, telemetry)
    expect_log("needs a restart: storage.head.window")
    assert await reload.now()
    assert reload.settings == old


@pytest.mark.gen_test
async def test_a_file_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)
    reader = Reader(Origin(pipe), patience=0.1)
    with pytest.raises(ConfigError, match=r"config.yaml: cannot be read within 0\.1 s"):
        await reader.read(Settings())
    assert reader._hanging is None


def begun(*command: str) -> int:
    return os.posix_spawnp(command[0], command, os.environ)


def killed(process: int) -> None:
    """Its exit status is left for somebody else to take."""
    os.kill(process, signal.SIGKILL)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


@pytest.mark.gen_test
async def test_while_a_process_hangs_that_reads_no_other_is_started(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("{}")
    reader = Reader(Origin(path))
    hanging = reader._hanging = begun("sleep", "60")
    with pytest.raises(ConfigError, match=f"is still being read by process {hanging}"):
        await reader.read(Settings())
    killed(hanging)
    assert (await reader.read(Settings())).files == [path]


def watched(tmp_path: Path, telemetry: Telemetry) -> tuple[Path, Reload]:
    """A file that is looked at, and has been once."""
    path = tmp_path / "config.yaml"
    path.write_text("{}")

    async def read(_held: Settings) -> Read:
        pytest.fail("it is looked at, and not read")

    settings = Settings().model_copy(update={"reload_on_change": True})
    reload = Reload(settings, Origin(path, files=[path]), read, telemetry)
    reload.look()
    return path, reload


def asked(reload: Reload) -> bool:
    """Whether it has been, since this was last said."""
    was = reload._asked.is_set()
    reload._asked.clear()
    return was


def test_a_file_that_has_changed_is_taken_once_it_stands_still(tmp_path: Path, telemetry: Telemetry) -> None:
    path, reload = watched(tmp_path, telemetry)
    reload.look()
    assert not asked(reload)
    for text in ("log: {}", "log: {level: in"):
        path.write_text(text)
        reload.look()
        assert not asked(reload)
    reload.look()
    assert asked(reload)
    reload.look()
    assert not asked(reload)


def test_a_file_that_is_replaced_or_gone_has_changed(tmp_path: Path, telemetry: Telemetry) -> None:
    path, reload = watched(tmp_path, telemetry)
    (tmp_path / "new").write_text("{}")
    (tmp_path / "new").replace(path)
    reload.look()
    reload.look()
    assert asked(reload)
    path.unlink()
    reload.look()
    reload.look()
    assert asked(reload)


def test_files_are_not_looked_at_unless_that_is_wanted(tmp_path: Path, telemetry: Telemetry) -> None:
    path, reload = watched(tmp_path, telemetry)
    reload.settings = Settings()
    path.write_text("log: {}")
    for _ in range(3):
        reload.look()
    assert not asked(reload)


@pytest.mark.gen_test
async def test_a_change_of_a_watched_board_reaches_who_looks_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.reload.LOOK", 0.05)
    board = tmp_path / "load.yaml"
    board.write_text(yaml.safe_dump(BOARD))
    async with running(tmp_path, boards=["load.yaml"], reload_on_change=True) as run:
        client = await Client.come(run)
        assert (await client.ask(board="load"))["type"] == "subscribed"
        board.write_text(yaml.safe_dump({**BOARD, "title": "Another"}))
        await client.heard("notice", code="configuration")
        assert (await run.get("api/boards"))["boards"][0]["title"] == "Another"
        await client.go()


@pytest.mark.gen_test
async def test_workers_go_by_the_new_configuration_and_tell_their_viewers(
    tmp_path: Path, expect_log: ExpectLog
) -> None:
    expect_log("log.level")
    async with running(tmp_path, server__workers=2) as run:
        workers = run.service.workers
        while not (workers.running and all(each.ready for each in workers.running.values())):
            await run.service.scraped.wait()
            await asyncio.sleep(0)
        here, there = await Client.come(run), await Client.come(run)
        assert (len(run.service.audience), workers.load) == (1, 1)
        limits = {"server__websocket__ack_after": "1s", "server__websocket__subscriptions": 1}
        await run.take(server__workers=2, boards=[BOARD], **limits)
        for client in (here, there):
            told = await client.heard("notice", code="limits")
            assert told["details"]["limits"]["ack_after"] == 1000
            version = (await client.heard("notice", code="configuration"))["details"]["version"]
            assert version == (await run.get("api/boards"))["version"]
            assert (await client.ask(board="overview"))["code"] == "unknown_board"
            assert (await client.ask(board="load"))["type"] == "subscribed"
            assert (await client.ask(queries=["up"]))["code"] == "too_many"
            await client.heard("tick")
        await run.refuse(server__workers=2, log__level="loud")
        for client in (here, there):
            await client.heard("notice", code="configuration")
        await run.take(server__workers=2)
        later = [await Client.come(run), await Client.come(run)]
        assert {each.welcome["limits"]["ack_after"] for each in later} == {10_000}
        assert workers.load == 2
        for client in (here, there, *later):
            await client.go()


@pytest.mark.gen_test
async def test_the_end_goes_by_the_configuration_in_force(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        client = await Client.come(run)
        await run.take(server__websocket__reconnect_spread="7s")
    farewell = await client.heard("notice", code="restarting")
    assert farewell["details"]["retry_in"] == 7000
    await client.go()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("print('{')", "the process for it ended before it had answered"),
        ("import os; os.kill(os.getpid(), 9)", "the process for it ended before it had answered"),
    ],
)
@pytest.mark.gen_test
async def test_a_process_that_does_not_answer_as_it_should_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setattr(reading, "COMMAND", command)
    with pytest.raises(ConfigError, match=said):
        await Reader(Origin(tmp_path / "config.yaml")).read(Settings())


@pytest.mark.gen_test
async def test_where_no_process_can_be_started_the_configuration_in_force_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    expect_log(r"no process can be started for it \(Cannot allocate memory\)")

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    async with running(tmp_path, really=True) as run:
        with monkeypatch.context() as context:
            context.setattr(os, "posix_spawn", full)
            assert not await run.service.reload.now()
        assert await run.service.reload.now()


@pytest.mark.gen_test
async def test_a_machine_that_does_not_tell_its_limits_is_a_refusal(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    expect_log("cannot be judged: .*memory.max")

    def gone() -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "memory.max")

    async def read(held: Settings) -> Read:
        return checking.compared(Question(None, {}, held), Loaded(Settings(), {}, ()))

    monkeypatch.setattr("monitor.reload.memory_limit", gone)
    assert not await Reload(Settings(), Origin(), read, telemetry).now()
