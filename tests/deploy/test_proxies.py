"""The service behind the real nginx, Caddy and HAProxy, with the files that are shipped for them."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests import node
from tests.deploy.proxy import IDLE, PROXIES, Proxy, behind
from tests.deploy.viewer import ADDRESS, Viewer
from tests.service import Service, running

PING = 0.8
STEP = 200
SETTINGS = {
    "SERVER__TRUSTED_PROXIES": "[127.0.0.1]",
    "COLLECT__INTERVAL": f"{STEP}ms",
    "SERVER__WEBSOCKET__PING_INTERVAL": f"{round(1000 * PING)}ms",
    "SERVER__WEBSOCKET__PING_TIMEOUT": f"{round(1000 * PING)}ms",
    "SERVER__WEBSOCKET__SWEEP_INTERVAL": "100ms",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With the whole of a site."""
    node.built_page()
    with running(tmp_path_factory.mktemp("service"), **SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With a part of a site; and it has nothing to say for longer than the proxies wait."""
    node.built_page()
    quiet = {
        "COLLECT__INTERVAL": "10s",
        "SERVER__PREFIX": "/monitor/",
        "SERVER__TRUSTED_PROXIES": "[127.0.0.1]",
    }
    with running(tmp_path_factory.mktemp("part"), **quiet) as started:
        yield started


def one_of(proxies: dict[str, Proxy], name: str) -> Proxy:
    if name not in proxies:
        pytest.skip(f"{name} is not installed: apt-get install {PROXIES[name].package}")
    return proxies[name]


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_that_is_missing_is_a_failure_once_though_its_tests_are_skipped(name: str) -> None:
    assert PROXIES[name].found(), f"{name} is not installed: apt-get install {PROXIES[name].package}"


@pytest.fixture(scope="module")
def proxies(
    service: Service, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Proxy]]:
    with behind(tmp_path_factory.mktemp("proxies"), service.url, certificate, IDLE) as started:
        yield started


@pytest.fixture(scope="module")
def part_proxies(
    part: Service, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Proxy]]:
    with behind(tmp_path_factory.mktemp("parts"), f"{part.url}monitor/", certificate, IDLE) as started:
        yield started


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, proxies: dict[str, Proxy]) -> Proxy:
    return one_of(proxies, request.param)


@pytest.fixture(params=PROXIES)
def part_proxy(request: pytest.FixtureRequest, part_proxies: dict[str, Proxy]) -> Proxy:
    return one_of(part_proxies, request.param)


async def get(proxy: Proxy, url: str) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(
        url, ca_certs=str(proxy.pair[0]), follow_redirects=False, raise_error=False
    )


async def files_of_the_page(proxy: Proxy) -> list[HTTPResponse]:
    """The page, and what it names."""
    page = await get(proxy, proxy.url)
    names = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    return [page, *[await get(proxy, urljoin(proxy.url, name)) for name in names]]


def is_whole(times: list[int]) -> bool:
    return times == list(range(times[0], times[-1] + STEP, STEP))


@pytest.mark.gen_test
async def test_the_page_loads_compressed(proxy: Proxy) -> None:
    answers = await files_of_the_page(proxy)
    assert len(answers) >= 4
    assert {answer.code for answer in answers} == {200}
    packed = {answer.headers.get("X-Consumed-Content-Encoding") for answer in answers[:-1]}
    assert "gzip" in packed
    assert answers[0].headers["Content-Security-Policy"]


@pytest.mark.gen_test
async def test_a_viewer_is_seen_where_it_is_and_not_where_it_says(
    proxy: Proxy, trust: ssl.SSLContext
) -> None:
    viewer = await Viewer.connect(proxy.url, trust)
    rows = json.loads((await get(proxy, f"{proxy.url}api/viewers")).body)["viewers"]
    await viewer.close()
    assert [row["address"] for row in rows] == [ADDRESS]
    assert "permessage-deflate" in viewer.head


async def hide(viewer: Viewer) -> None:
    """For longer than the proxy waits; and what was missed comes when it is shown again."""
    await viewer.subscribe()
    before = await viewer.ticks(2)
    viewer.send({"type": "visible", "visible": False})
    hidden = viewer.pinged
    while viewer.pinged - hidden < 1.6 * IDLE / PING:
        assert (await viewer.next())["type"] in ("tick", "beat")
    viewer.send({"type": "visible", "visible": True})
    missed = (await viewer.next("columns"))["columns"]["t"]
    assert is_whole([before[-1], *missed, *await viewer.ticks(2)][1:])


@pytest.mark.gen_test
async def test_hidden_pages_stay_connected_for_longer_than_the_proxies_wait(
    proxies: dict[str, Proxy], trust: ssl.SSLContext
) -> None:
    viewers = [await Viewer.connect(proxy.url, trust) for proxy in proxies.values()]
    await asyncio.gather(*map(hide, viewers))
    for viewer in viewers:
        await viewer.close()
    assert viewers, "no proxy is installed"


@pytest.mark.gen_test
async def test_a_viewer_goes_on_where_it_was_when_the_proxy_restarts(
    proxy: Proxy, trust: ssl.SSLContext
) -> None:
    viewer = await Viewer.connect(proxy.url, trust)
    await viewer.subscribe()
    seen = await viewer.ticks(3)
    proxy.stop()
    await viewer.end()
    proxy.start()
    again = await Viewer.connect(proxy.url, trust)
    seen += await again.subscribe(after=seen[-1])
    assert is_whole(seen + await again.ticks(2))
    await again.close()


@pytest.mark.gen_test
async def test_viewers_are_told_of_a_restart_of_the_service_and_come_back(
    proxies: dict[str, Proxy], service: Service, trust: ssl.SSLContext
) -> None:
    viewers = [await Viewer.connect(proxy.url, trust) for proxy in proxies.values()]
    service.stop()
    for viewer in viewers:
        assert (await viewer.next("notice"))["code"] == "restarting"
        assert await viewer.end() == f"closed with {(1012).to_bytes(2) + b'service restart'!r}"
    service.start()
    for proxy in proxies.values():
        again = await Viewer.connect(proxy.url, trust)
        await again.subscribe()
        assert is_whole(await again.ticks(2))
        await again.close()


@pytest.mark.gen_test
async def test_a_part_of_a_site_is_enough(part_proxy: Proxy, trust: ssl.SSLContext) -> None:
    answers = await files_of_the_page(part_proxy)
    assert len(answers) >= 4
    assert {answer.code for answer in answers} == {200}
    assert b"boards" in (await get(part_proxy, f"{part_proxy.url}api/boards")).body
    assert b"boards" not in (await get(part_proxy, urljoin(part_proxy.url, "/api/boards"))).body
    viewer = await Viewer.connect(part_proxy.url, trust)
    await viewer.close()


@pytest.mark.gen_test
async def test_the_proxies_do_cut_who_is_silent_for_longer(
    part_proxies: dict[str, Proxy], trust: ssl.SSLContext
) -> None:
    viewers = [await Viewer.connect(proxy.url, trust) for proxy in part_proxies.values()]
    ends = await asyncio.gather(*(viewer.end() for viewer in viewers))
    assert not [end for end in ends if end.startswith("closed with")]
    for viewer in viewers:
        await viewer.close()
