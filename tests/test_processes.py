"""The table of processes: what each permission sees of it, in which order, and what it costs unwatched."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.access import Role
from monitor.access.roles import GRANTED
from monitor.collect import Host
from monitor.collect.process.arguments import Arguments, told
from monitor.collect.process.roster import COLUMNS, Roster, Wanted
from monitor.collect.process.users import Users
from monitor.collect.process_groups import ProcessGroups
from monitor.collect.workers import Pool
from monitor.formats.live import View
from monitor.processes import Processes
from monitor.stream.table import SORTS
from tests.collect.fake_procfs import Procfs
from tests.collect.test_process_groups import Clock
from tests.test_app import service

VIEWER = GRANTED[Role.VIEWER]
SECOND = {"collect.interval": "1s"}


class Running:
    """Processes of a procfs, looked at twice, a second apart."""

    def __init__(self, root: Path) -> None:
        self.procfs = Procfs(root)
        self.clock = Clock()
        self.collector = ProcessGroups(5, 0.01, 40, 0, self.clock, self.clock.spent)
        self.host = self.procfs.host()

    def look(self) -> None:
        self.clock.now += 5
        self.host.fresh(self.clock.now)
        self.collector.collect(self.host)

    def table(self, **view: Any) -> list[dict[str, Any]]:
        processes = Processes(self.host, lambda: {"process_groups": self.collector})
        found = processes.rows(VIEWER, View(**view))
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    made = Running(tmp_path)
    for pid, name in enumerate(("nginx", "postgres", "sshd", "nginx"), start=10):
        made.procfs.begin(pid, name, resident=pid, user=1000)
    made.look()
    made.procfs.set(11, "postgres", resident=11, user=1250)
    made.look()
    return made


def pids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["pid"] for row in rows]


def test_those_who_work_come_first_and_then_the_largest(running: Running) -> None:
    assert pids(running.table()) == [11, 13, 12, 10]
    assert [row["cpu"] for row in running.table()] == [0.5, 0, 0, 0]


def test_what_worked_before_the_last_look_is_idle_now(running: Running) -> None:
    running.look()
    assert [row["cpu"] for row in running.table()] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("view", "found"),
    [
        ({"sort": "memory", "descending": False}, [10, 11, 12, 13]),
        ({"sort": "pid"}, [13, 12, 11, 10]),
        ({"sort": "command", "descending": False}, [10, 13, 11, 12]),
        ({"filter": "NGINX"}, [13, 10]),
        ({"filter": "12"}, [12]),
        ({"filter": "nobody"}, []),
        ({"limit": 1}, [11]),
        ({"sort": "read", "limit": 2}, [13, 12]),
    ],
)
def test_it_is_sorted_and_filtered_here(running: Running, view: dict[str, Any], found: list[int]) -> None:
    assert pids(running.table(**view)) == found


def test_the_columns_that_it_is_sorted_by_are_those_that_can_be_asked_for() -> None:
    roster = Roster(ProcessGroups().scan, Users(os.devnull))
    for sort in SORTS["processes"]:
        assert roster.found(Wanted(sort, True, "", 1)) == ([], 0)
    assert {*SORTS["processes"], "arguments"} == {*COLUMNS}


def test_a_row_tells_who_runs_what_and_since_when(running: Running) -> None:
    running.procfs.begin(20, "worker", start=700)
    running.procfs.unit(20, "/system.slice/worker.service")
    running.procfs.write(20, "status", f"Name:\tx\nUid:\t1\t{os.getuid()}\t1\t1\n")
    running.procfs.io(20, 0, 0)
    running.look()
    running.procfs.io(20, 5000, 10_000)
    running.procfs.set(20, "worker", start=700, user=1)
    running.look()
    (row,) = running.table(filter="worker")
    assert (row["unit"], row["read"], row["write"]) == ("worker.service", 1000, 2000)
    assert row["start"] == 1767225600_000 + 7000
    assert row["user"] == "root" if os.getuid() == 0 else row["user"]


def test_where_the_collector_is_off_the_table_says_so() -> None:
    found = Processes(Host(), dict).rows(VIEWER, View())
    assert (found.rows, found.about) == ([], {"off": 1})


async def message(client: WebSocketClientConnection, kind: str) -> dict[str, Any]:
    while True:
        text = await client.read_message()
        assert isinstance(text, str)
        found: dict[str, Any] = json.loads(text)
        if found["type"] == kind:
            return found


@pytest.mark.gen_test(timeout=30)
@pytest.mark.parametrize(("role", "workers"), [("operator", "1"), ("viewer", "1"), ("operator", "2")])
async def test_operators_see_arguments_and_viewers_do_not(tmp_path: Path, role: str, workers: str) -> None:
    made = service(tmp_path, **SECOND, **{"access.anonymous": role, "server.workers": workers})
    command = [sys.executable, "-c", "input()", "--password", "hunter2", "visible"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as program:  # noqa: ASYNC220  (it only sleeps)
        async with made.running() as url:
            client = await websocket_connect(url.replace("http", "ws") + "live")
            asked = {"type": "subscribe", "request": 0, "table": "processes", "filter": str(program.pid)}
            await client.write_message(json.dumps(asked))
            arguments = None
            for _ in range(40):
                found = await message(client, "table")
                assert found["view"]["filter"] == str(program.pid)
                (row,) = found["rows"] or [[None] * len(COLUMNS)]
                shown = dict(zip(found["columns"], row, strict=True))
                arguments = shown["arguments"]
                if arguments or (role == "viewer" and shown["pid"]):
                    break
            client.close()
        program.communicate(b"\n")
    if role == "viewer":
        assert arguments is None
    else:
        assert arguments
        assert arguments.endswith("-c input() --password *** visible")


@pytest.mark.gen_test(timeout=20)
async def test_a_view_that_the_table_does_not_have_is_refused(tmp_path: Path) -> None:
    made = service(tmp_path, **SECOND)
    async with made.running() as url:
        client = await websocket_connect(url.replace("http", "ws") + "live")
        for table, view in (("processes", {"sort": "arguments"}), ("viewers", {"filter": "x"})):
            await client.write_message(
                json.dumps({"type": "subscribe", "request": 4, "table": table, **view})
            )
            error = await message(client, "error")
            assert (error["request"], error["code"]) == (4, "bad_message")
        client.close()


def test_what_looks_like_a_secret_is_hidden() -> None:
    command = b"mysql\0--password=hunter2\0-u\0me\0--api-key\0k\0https://me:pw@db/x\0TOKEN=abc\0--port=1\0"
    assert told(command) == "mysql --password=*** -u me --api-key *** https://***@db/x TOKEN=*** --port=1"
    assert len(told(b"a" * 4000)) == 256
    assert told(b"a\x1b[2J\0") == r"a\x1b[2J"


HANGS = (
    "import sys\nfor line in sys.stdin:\n    if b'/7/' in bytes.fromhex(line): import time; time.sleep(60)\n"
)
HANGS += "    print(b'fine'.hex(), flush=True)\n"


@pytest.mark.gen_test(timeout=20)
async def test_one_whose_memory_does_not_answer_holds_up_nobody(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.collect.process.arguments.PATIENCE", 0.2)
    program = tmp_path / "hangs.py"
    program.write_text(HANGS)
    running.procfs.begin(7)
    running.look()
    arguments = Arguments("/proc", Pool(program))
    living = running.collector.scan.living
    arguments.want(living.values())
    while arguments._task is not None and not arguments._task.done():
        await asyncio.wait([arguments._task])
    assert {process.pid: arguments.of(process) for process in living.values()} == {
        7: None,
        **dict.fromkeys((10, 11, 12, 13), "fine"),
    }
    await arguments.close()


def test_nobody_is_looked_at_more_often_when_the_last_has_left(running: Running) -> None:
    before = running.collector.scan.number
    running.table()
    for _ in range(3):
        running.clock.now += 1
        running.host.fresh(running.clock.now)
        running.collector.collect(running.host)
    assert running.collector.scan.number == before + 1
