"""The table of processes: what each permission sees of it, in which order, and what it costs unwatched."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
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
from monitor.model import Scrape
from monitor.processes import Processes
from monitor.stream.table import SORTS
from tests.collect.fake_procfs import Procfs
from tests.collect.samples import numbers, text
from tests.collect.test_process_groups import Clock
from tests.test_app import get, service

VIEWER = GRANTED[Role.VIEWER]
SECOND = {"collect.interval": "1s"}
TARGET = (("instance", "here"), ("job", "processes"))


class Running:
    """Processes of a procfs, looked at twice, a second apart."""

    def __init__(self, root: Path) -> None:
        self.procfs = Procfs(root)
        self.clock = Clock()
        self.collector = ProcessGroups(5, kept=0, clock=self.clock, spent=self.clock.spent)
        self.host = self.procfs.host()
        self.procfs.open.callback(self.collector.close)
        self.kept: list[Scrape] = []
        collectors = {"process_groups": self.collector}
        self.processes = Processes(self.host, lambda: collectors, self.kept.append, "here")

    def look(self) -> None:
        self.clock.now += 5
        self.host.fresh(self.clock.now)
        self.collector.collect(self.host)

    def table(self, **view: Any) -> list[dict[str, Any]]:
        found = self.processes.rows(VIEWER, View(**view))
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    for pid, name in enumerate(("nginx", "postgres", "sshd", "nginx"), start=10):
        made.procfs.begin(pid, name, resident=pid, user=1000)
    made.look()
    made.procfs.set(11, "postgres", resident=11, user=1250)
    made.look()
    with made.procfs.open:
        yield made


def nobody(_scrape: Scrape) -> None:
    raise AssertionError("nothing is to be kept")


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
    found = Processes(Host(), dict, nobody, "here").rows(VIEWER, View())
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
    command = (
        b"mount.cifs\0-o\0user=me,password=pw\0https://h/?a=1&token=t\0--header=Authorization: Bearer b\0"
    )
    assert (
        told(command)
        == "mount.cifs -o user=me,password=*** https://h/?a=1&token=*** --header=Authorization:***"
    )
    assert told(b"proxy\0http://auth:80/path\0/run/secrets/x") == "proxy http://auth:80/path /run/secrets/x"
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


def kept(scrape: Scrape) -> dict[str, float]:
    return {text(series): value for series, value in numbers(scrape.blocks).items()}


def name(metric: str, pid: int, command: str, start: int = 1767225601) -> str:
    return f'monitor_process_{metric}{{command="{command}",pid="{pid}",start="{start}"}}'


def keep(running: Running) -> None:
    running.look()
    running.processes.keep(round(running.clock.now * 1000))


def test_those_at_the_top_are_kept_with_what_they_used_since(running: Running) -> None:
    for pid in range(20, 50):
        running.procfs.begin(pid, "small", resident=1)
    running.collector.top = 2
    keep(running)
    assert running.kept == []
    running.procfs.set(11, "postgres", resident=11, user=2250)
    running.procfs.set(20, "small", resident=1, user=500)
    running.procfs.begin(60, "quick", start=900, user=200)
    running.look()
    keep(running)
    (scrape,) = running.kept
    assert (scrape.timestamp, scrape.target) == (round(running.clock.now * 1000), TARGET)
    values = kept(scrape)
    assert values[name("cpu_ratio", 11, "postgres")] == 1
    assert values[name("cpu_ratio", 20, "small")] == 0.5
    assert name("cpu_ratio", 60, "quick", 1767225609) not in values
    assert values[name("resident_memory_bytes", 13, "nginx")] == 13 * 4096
    assert len(values) == 3 * 4


def test_what_ran_between_two_samples_counts_from_its_start(running: Running) -> None:
    keep(running)
    running.procfs.begin(60, "quick", start=900, user=500)
    running.look()
    keep(running)
    assert kept(running.kept[0])[name("cpu_ratio", 60, "quick", 1767225609)] == 0.5


def test_one_that_was_hidden_before_does_not_count_as_busy_now(running: Running) -> None:
    running.procfs.begin(61, "newest", start=900)
    keep(running)
    running.procfs.begin(60, "old", start=100, user=50_000, resident=900)
    running.look()
    keep(running)
    assert not [series for series in kept(running.kept[0]) if '"old"' in series]


def test_bytes_are_kept_of_those_who_may_be_asked(running: Running) -> None:
    running.procfs.io(12, 0, 0)
    running.procfs.set(12, "sshd", resident=12, user=1001)
    keep(running)
    running.procfs.io(12, 10_240, 0)
    running.procfs.set(12, "sshd", resident=12, user=1002)
    running.look()
    keep(running)
    values = kept(running.kept[0])
    assert values[name("read_bytes_per_second", 12, "sshd")] == 1024
    assert name("read_bytes_per_second", 11, "postgres") not in values


def test_nothing_is_kept_before_its_time_or_without_a_new_look(running: Running) -> None:
    keep(running)
    running.look()
    keep(running)
    running.processes.keep(round(running.clock.now * 1000) + 60_000)
    keep(running)
    assert len(running.kept) == 1
    running.collector.top = 0
    running.look()
    keep(running)
    assert len(running.kept) == 1


@pytest.mark.gen_test(timeout=60)
async def test_the_table_of_a_past_moment_is_what_was_kept_then(tmp_path: Path) -> None:
    made = service(
        tmp_path,
        **SECOND,
        **{
            "collect.collectors.process_groups.history": "5s",
            "collect.collectors.process_groups.interval": "1s",
        },
    )
    async with made.running() as url:
        while True:
            made.scraped.clear()
            await made.scraped.wait()
            answer = await get(f"{url}api/v1/processes")
            assert answer["status"] == "success"
            if answer["data"]["time"]:
                break
        rows = [dict(zip(answer["data"]["columns"], row, strict=True)) for row in answer["data"]["rows"]]
        assert any(row["memory"] > 1 << 20 and row["cpu"] is not None for row in rows)
        before = await get(f"{url}api/v1/processes?time={answer['data']['time'] - 3600}")
        assert before["data"] == {"time": None, "columns": answer["data"]["columns"], "rows": []}
        metadata = await get(f"{url}api/v1/query?query=monitor_process_threads")
        assert metadata["data"]["result"][0]["metric"]["job"] == "processes"
