"""The whole service in this process: wired, started, asked, stopped."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

from monitor.app import Service, StartError
from monitor.config import load
from tests.conftest import ExpectLog


def service(folder: Path, **flags: str) -> Service:
    settings = {"server.listen": "127.0.0.1:0", "storage.path": str(folder), "collect.interval": "100ms"}
    settings["access.anonymous"] = "operator"
    return Service(load(None, {}, settings | flags).settings)


async def get(url: str) -> Any:
    return json.loads((await AsyncHTTPClient().fetch(url)).body)


async def scraped(made: Service) -> None:
    """Wait until a pass over the host has been stored."""
    while made.head.oldest() is None:
        await made.scraped.wait()


BOOT = float(Path("/proc/stat").read_text().partition("btime ")[2].split()[0])


@pytest.mark.gen_test
async def test_one_sample_walks_from_the_kernel_to_the_browser(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        client = await websocket_connect(url.replace("http", "ws") + "live")
        await client.read_message()
        await client.write_message(
            '{"type": "subscribe", "request": 1, "queries": ["node_boot_time_seconds"]}'
        )
        values: list[float | None] = []
        while not any(values):
            message = json.loads(await client.read_message() or "{}")
            values = message.get("v") or [row[-1] for row in message.get("columns", {}).get("v", []) if row]
        (boot,) = values
        client.close()
    assert boot == BOOT


@pytest.mark.gen_test
async def test_a_tick_that_fails_is_not_the_last_and_none_that_counts(
    tmp_path: Path, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("a tick failed; the others go on")
    made, ticked = service(tmp_path), asyncio.Event()
    tick, begun, counted = made.audience.tick, list[int](), list[int]()

    async def fails_at_first(now: int) -> None:
        begun.append(now)
        if len(begun) < 3:
            raise ZeroDivisionError("a fault of ours")
        await tick(now)

    def count(*_: object) -> None:
        counted.append(len(begun))
        ticked.set()

    monkeypatch.setattr(made.audience, "tick", fails_at_first)
    monkeypatch.setattr(made.manager, "ticked", count)
    async with made.running():
        await ticked.wait()
    assert counted[0] == 3


@pytest.mark.gen_test
async def test_every_target_is_up_and_bears_its_labels(tmp_path: Path) -> None:
    made = service(tmp_path, **{"collect.instance": "here"})
    async with made.running() as url:
        await scraped(made)
        up = await get(f"{url}api/v1/query?query=up")
        assert {tuple(sorted(found["metric"].items())) for found in up["data"]["result"]} == {
            (("__name__", "up"), ("instance", "here"), ("job", job)) for job in ("node", "monitor")
        }
        page = (await AsyncHTTPClient().fetch(f"{url}metrics")).body.decode()
        assert "node_boot_time_seconds " in page
        assert "monitor_clients 0" in page
        assert "instance=" not in page
        assert "\nup " not in page


@pytest.mark.gen_test
async def test_viewers_are_told_of_the_end_and_sent_back_with_a_spread(tmp_path: Path) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        client = await websocket_connect(url.replace("http", "ws") + "live")
        await client.read_message()
    messages = []
    while (text := await client.read_message()) is not None:
        messages.append(json.loads(text))
    client.close()
    notice = messages[-1]
    assert (notice["code"], notice["details"]) == ("restarting", {"retry_in": 2000})
    assert client.close_code == 1012
    assert made.telemetry.gone.total() == 1


def test_a_state_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = service(tmp_path / "file")
    with pytest.raises(StartError, match=r"cannot write to the state folder .*file: .*; make it writable"):
        made.prepare()


def test_a_port_that_is_taken_stops_the_start_and_says_by_whom(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made = service(tmp_path, **{"server.listen": f"127.0.0.1:{port}"})
        with pytest.raises(StartError, match=rf"127.0.0.1:{port} is already in use by .*pid") as caught:
            made.prepare()
    assert "--listen HOST:PORT" in str(caught.value)
