"""Server-sent events through the real proxies, as they come: with the files that are shipped, and where the
upgrade of a WebSocket does not get through."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests import node
from tests.deploy.proxy import PROXIES, Nginx, Proxy
from tests.deploy.viewer import ADDRESS
from tests.server.reader import Event, Reader
from tests.service import Service, running

STEP = 200
SETTINGS = {
    "SERVER__TRUSTED_PROXIES": "[127.0.0.1]",
    "SERVER__PREFIX": "/monitor/",
    "COLLECT__INTERVAL": f"{STEP}ms",
    "SERVER__WEBSOCKET__PING_INTERVAL": "1s",
    "SERVER__WEBSOCKET__PING_TIMEOUT": "1s",
    "SERVER__WEBSOCKET__SWEEP_INTERVAL": "100ms",
}


class Bare(Nginx):
    """With no more than somebody writes who has not read our file: HTTP/1.0, buffered, without upgrades."""

    @property
    def text(self) -> str:
        ours = re.compile(r"proxy_(http_version|buffering)|proxy_set_header (?!Host|X-Forwarded-For)")
        return "\n".join(line for line in super().text.splitlines() if not ours.match(line.strip()))


WAYS: dict[str, type[Proxy]] = {**PROXIES, "bare nginx": Bare}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    node.built_page()
    with running(tmp_path_factory.mktemp("service"), **SETTINGS) as started:
        yield started


@pytest.fixture(params=WAYS)
def proxy(
    request: pytest.FixtureRequest, service: Service, certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[Proxy]:
    kind = WAYS[request.param]
    if not kind.found():
        pytest.skip(f"{kind.program} is not installed: apt-get install {kind.package}")
    made = kind(tmp_path / "proxy", f"{service.url}monitor/", certificate)
    made.start()
    yield made
    made.stop()


def is_whole(times: list[int]) -> bool:
    return times == list(range(times[0], times[-1] + STEP, STEP))


async def own_rows(reader: Reader) -> list[list[object]]:
    """The rows of the table of viewers that are of this address."""
    assert await reader.say({"type": "subscribe", "request": 0, "table": "viewers"}) == 204
    table = await reader.next("table")
    place = table["columns"].index("address")
    return [row for row in table["rows"] if row[place] == ADDRESS]


@pytest.mark.gen_test
async def test_the_stream_comes_as_it_is_made_and_pings_are_answered(
    proxy: Proxy, trust: ssl.SSLContext
) -> None:
    reader = await Reader(proxy.url, trust, ADDRESS).begin()
    seen = [*await reader.subscribe(), *await reader.ticks(2)]
    assert len(await own_rows(reader)) == 1
    await reader.say({"type": "visible", "visible": False})
    async with asyncio.timeout(10):
        while not reader.pongs:
            seen += [tick["t"] for tick in [await reader.next()] if tick["type"] == "tick"]
    await reader.say({"type": "visible", "visible": True})
    missed = (await reader.next("columns"))["columns"]["t"]
    assert is_whole([*seen, *missed, *await reader.ticks(2)])
    await reader.close()


@pytest.mark.gen_test
async def test_a_stream_goes_on_where_it_was_when_the_proxy_restarts(
    proxy: Proxy, trust: ssl.SSLContext
) -> None:
    reader = await Reader(proxy.url, trust).begin()
    seen = [*await reader.subscribe(), *await reader.ticks(2)]
    proxy.stop()
    await reader.end()
    await reader.close()
    proxy.start()
    again = await Reader(proxy.url, trust).begin()
    seen += await again.subscribe(after=seen[-1])
    assert is_whole(seen + await again.ticks(2))
    await again.close()


@pytest.mark.gen_test
async def test_who_gets_no_upgrade_is_told_of_a_restart_of_the_service(
    service: Service, certificate: tuple[Path, Path], trust: ssl.SSLContext, tmp_path: Path
) -> None:
    if not Bare.found():
        pytest.skip(f"nginx is not installed: apt-get install {Bare.package}")
    proxy = Bare(tmp_path / "proxy", f"{service.url}monitor/", certificate)
    proxy.start()
    try:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        asked = HTTPRequest(f"{proxy.url}live", headers=upgrade, ca_certs=str(certificate[0]))
        assert (await AsyncHTTPClient().fetch(asked, raise_error=False)).code == 426
        reader = await Reader(proxy.url, trust).begin()
        service.stop()
        assert (await reader.next("notice"))["code"] == "restarting"
        assert await reader.end() == Event("close", "1012 service restart")
        await reader.close()
        service.start()
        again = await Reader(proxy.url, trust).begin()
        await again.subscribe()
        assert is_whole(await again.ticks(2))
        await again.close()
    finally:
        proxy.stop()


@pytest.mark.parametrize("how", ["TLS of its own", "workers"])
@pytest.mark.gen_test
async def test_it_needs_no_proxy(
    how: str, certificate: tuple[Path, Path], trust: ssl.SSLContext, tmp_path: Path
) -> None:
    """Of several processes the first serves all events, and says 1012 as they all do."""
    node.built_page()
    files = {"SERVER__TLS__CERTIFICATE": str(certificate[0]), "SERVER__TLS__KEY": str(certificate[1])}
    ways = {"TLS of its own": files, "workers": {"SERVER__WORKERS": "2"}}
    with running(tmp_path, COLLECT__INTERVAL=f"{STEP}ms", **ways[how]) as service:
        url = service.url.replace("127.0.0.1", "localhost")
        readers = [await Reader(url, trust if how == "TLS of its own" else None).begin() for _ in range(3)]
        for reader in readers:
            await reader.subscribe()
            assert is_whole(await reader.ticks(2))
        service.stop()
        for reader in readers:
            assert await reader.end() == Event("close", "1012 service restart")
            await reader.close()
