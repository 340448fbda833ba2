"""More processes than one: viewers are shared out, and those of a worker that is killed miss nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.app import Service
from monitor.config import load
from monitor.server import process, workers
from tests.chaos.line import Place
from tests.chaos.truth import ask, compare
from tests.chaos.viewer import Viewer
from tests.conftest import ExpectLog
from tests.service import Service as Running
from tests.surroundings import PATIENCE

VIEWERS = 50
KILLS = 3


def service(folder: Path, **flags: str) -> Service:
    settings = {"server.listen": "127.0.0.1:0", "storage.path": str(folder), "collect.interval": "100ms"}
    settings |= {"access.anonymous": "operator", "server.websocket.close_timeout": "1m"}
    return Service(load(None, {}, settings | {"server.workers": "2"} | flags).settings)


@asynccontextmanager
async def ready(made: Service) -> AsyncIterator[str]:
    """Started, with every worker serving."""
    async with made.running() as url:
        await until_ready(made)
        yield url


async def until_ready(made: Service) -> None:
    running = made.workers.running
    await until(made, lambda: bool(running) and all(each.ready for each in running.values()))


async def until(made: Service, condition: Callable[[], bool]) -> None:
    while not condition():
        await made.scraped.wait()
        await asyncio.sleep(0)


async def until_empty(made: Service) -> None:
    """What a worker has counted and who has left it are two messages."""
    await until(made, lambda: (made.workers.load, made.audience.doors.inside, len(made.feeds)) == (0, {}, 0))


async def heard(client: WebSocketClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind; beats and others may come before it."""
    while (text := await client.read_message()) is not None:
        message: dict[str, Any] = json.loads(text)
        if message["type"] == kind:
            return message
    raise EOFError(f"closed with {client.close_code}")


async def watch(url: str) -> WebSocketClientConnection:
    """A viewer that follows a query."""
    client = await websocket_connect(url.replace("http", "ws") + "live")
    await heard(client, "welcome")
    await client.write_message('{"type": "subscribe", "request": 1, "queries": ["up"], "range": 1000}')
    await heard(client, "subscribed")
    return client


async def close(*clients: WebSocketClientConnection) -> None:
    for client in clients:
        client.close()
        while await client.read_message() is not None:
            pass


async def figure(url: str, name: str) -> float:
    page = (await AsyncHTTPClient().fetch(f"{url}metrics")).body.decode()
    found = re.search(rf"^{re.escape(name)} (.+)$", page, flags=re.MULTILINE)
    return float(found[1]) if found else 0.0


async def until_figure(url: str, name: str, value: float) -> None:
    while await figure(url, name) != value:
        pass


@pytest.mark.gen_test(timeout=30)
async def test_viewers_are_shared_out_and_counted_as_one_audience(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(6)]
        for client in clients:
            await heard(client, "tick")
        assert (len(made.audience), made.workers.load) == (3, 3)
        assert len(made.feeds) == 1
        await until_figure(url, "monitor_clients", 6)
        assert await figure(url, 'monitor_worker_clients{worker="1"}') == 3
        assert await figure(url, "monitor_sessions_opened_total") == 6
        await close(*clients)
        await until_figure(url, "monitor_clients", 0)
        await until_figure(url, 'monitor_sessions_gone_total{reason="closed"}', 6)
        await until_empty(made)


def test_what_may_wait_for_the_slow_is_shared_out(tmp_path: Path) -> None:
    made = service(tmp_path, **{"server.workers": "4", "server.websocket.backlog": "64MiB"})
    assert made.audience.limits.backlog == made.workers.hello.settings["limits"]["backlog"] == 16 << 20


@pytest.mark.gen_test(timeout=30)
async def test_the_limits_hold_for_all_processes_together(tmp_path: Path) -> None:
    made = service(tmp_path, **{"server.websocket.per_address": "3"})
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(3)]
        with pytest.raises(HTTPClientError, match="503"):
            await watch(url)
        await close(*clients)
        await until_figure(url, "monitor_clients", 0)
        await until_empty(made)
        await close(await watch(url))


@pytest.mark.gen_test(timeout=30)
async def test_viewers_of_every_process_are_listed_and_can_be_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ANSWER", PATIENCE)
    made = service(tmp_path)
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(2)]
        await clients[0].write_message('{"type": "subscribe", "request": 2, "table": "viewers"}')
        while (await heard(clients[0], "table"))["total"] != 2:
            pass
        fetch = AsyncHTTPClient().fetch
        listed = json.loads((await fetch(f"{url}api/viewers")).body)
        assert (listed["total"], len(listed["viewers"])) == (2, 2)
        for viewer in listed["viewers"]:
            await fetch(f"{url}api/viewers/{viewer['session']}", method="DELETE")
        for client in clients:
            while await client.read_message() is not None:
                pass
            assert client.close_code == 4403
            client.close()
        with pytest.raises(HTTPClientError, match="404"):
            await fetch(f"{url}api/viewers/{listed['viewers'][0]['session']}", method="DELETE")


@pytest.mark.gen_test(timeout=30)
async def test_everybody_is_told_of_the_end_and_no_process_stays(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(4)]
        pids = [each.pid for each in made.workers.running.values()]

    for client in clients:
        messages = []
        while (text := await client.read_message()) is not None:
            messages.append(json.loads(text))
        assert (messages[-1]["code"], client.close_code) == ("restarting", 1012)
        client.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert made.telemetry.gone.total() == 4


@pytest.mark.gen_test(timeout=30)
async def test_the_service_serves_while_its_workers_do_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    monkeypatch.setattr(process, "COMMAND", "raise SystemExit(3)")
    monkeypatch.setattr(workers, "FIRST", 0.01)
    monkeypatch.setattr(workers, "LONGEST", 0.02)
    made = service(tmp_path)
    expect_log("worker 1 ended with status 3; its viewers come back by themselves")
    expect_log(r"worker 1 keeps ending \(status 3\); it is started ever less often")
    async with made.running() as url:
        client = await watch(url)
        await until(made, lambda: made.telemetry.workers_ended >= 4)
        assert len(made.audience) == 1
        await close(client)


@pytest.mark.gen_test(timeout=30)
async def test_a_worker_that_stops_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    made = service(tmp_path, **{"server.websocket.sweep_interval": "100ms"})
    expect_log("worker 1 ended with status -9")
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(2)]
        (stopped,) = made.workers.running.values()
        os.kill(stopped.pid, signal.SIGSTOP)
        with monkeypatch.context() as hasty:
            hasty.setattr(workers, "SILENT", 1.5)
            await stopped.ended.wait()
        await until_ready(made)
        assert made.telemetry.gone == {"worker-ended": 1}
        (replaced,) = made.workers.running.values()
        assert (replaced.pid != stopped.pid, replaced.load) == (True, 0)
        clients.append(await watch(url))
        assert replaced.load == 1
        await close(*clients)


def worker_pids(main: int) -> list[int]:
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [int(pid) for pid in children if b"server.worker" in command_of(pid)]


def command_of(pid: str) -> bytes:
    """Empty for a process that has ended since it was listed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


async def replaced(main: int, gone: int, url: str) -> list[int]:
    """The workers, once another serves in place of one that is gone."""
    while gone in (pids := worker_pids(main)) or len(pids) < 2:
        await figure(url, "monitor_clients")
    for name in ("1", "2"):
        while not await figure(url, f'monitor_worker_resident_memory_bytes{{worker="{name}"}}'):
            pass
    return pids


@pytest.mark.gen_test(timeout=120)
async def test_viewers_of_a_killed_worker_come_back_and_miss_nothing(tmp_path: Path) -> None:
    made = Running(tmp_path, SERVER__WORKERS="3", COLLECT__INTERVAL="200ms")
    made.start()
    try:
        assert made.process
        main, port = made.process.pid, int(made.url.rstrip("/").rpartition(":")[2])
        pids = await replaced(main, 0, made.url)
        place = Place("127.0.0.1", "127.0.0.1", port, "127.0.0.1", deflate=True)
        viewers = [Viewer(place._replace(deflate=bool(seed % 2)), seed) for seed in range(VIEWERS)]
        watching = [asyncio.create_task(viewer.run()) for viewer in viewers]
        await asyncio.gather(*(viewer.reach(1) for viewer in viewers))
        for kill in range(KILLS):
            pid = pids[kill % 2]
            os.kill(pid, signal.SIGKILL)
            pids = await replaced(main, pid, made.url)
            goal = max(viewer.book.n for viewer in viewers) + 5
            await asyncio.gather(*(viewer.reach(goal) for viewer in viewers))
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        truth = await ask("127.0.0.1", port, viewers[0].book.chapters[0].epoch, goal * 200, 200)
        count = compare([viewer.report() for viewer in viewers], [truth], goal * 200)
    finally:
        made.stop()
    assert count.mismatches == []
    assert count.columns > VIEWERS * 5 * KILLS
    assert sum(viewer.connections for viewer in viewers) >= VIEWERS + KILLS * VIEWERS // 6


@pytest.mark.gen_test(timeout=30)
async def test_workers_end_with_the_main_process_however_that_ends(tmp_path: Path) -> None:
    made = Running(tmp_path, SERVER__WORKERS="3", COLLECT__INTERVAL="200ms")
    made.start()
    assert made.process
    pids = await replaced(made.process.pid, 0, made.url)
    ends = [os.pidfd_open(pid) for pid in pids]
    made.process.kill()
    made.process.communicate()
    loop = asyncio.get_running_loop()
    for end in ends:
        gone = asyncio.Event()
        loop.add_reader(end, gone.set)
        await gone.wait()
        loop.remove_reader(end)
        os.close(end)
    assert "Traceback" not in made.log.read_text()


@pytest.mark.gen_test(timeout=30)
async def test_workers_leave_signals_to_the_main_process(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with ready(made) as url:
        clients = [await watch(url) for _ in range(2)]
        (worker,) = made.workers.running.values()
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(worker.pid, number)
        for client in clients:
            await heard(client, "tick")
            await heard(client, "tick")
        assert (worker.ready, made.telemetry.workers_ended) == (True, 0)
        await close(*clients)
