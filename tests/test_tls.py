"""The whole service under TLS: the page, the live stream to its end, and the way there from plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

from monitor.app import Service, StartError
from monitor.config import ConfigError, load
from tests.tls import pair

NOTHING: Mapping[str, str] = {}


def service(folder: Path, flags: Mapping[str, str] = NOTHING) -> Service:
    certificate, key = pair(folder)
    settings = {
        "server.listen": "127.0.0.1:0",
        "server.tls.certificate": str(certificate),
        "server.tls.key": str(key),
        "storage.path": str(folder / "state"),
        "collect.interval": "100ms",
        "access.anonymous": "operator",
    }
    return Service(load(None, {}, {**settings, **flags}).settings)


@pytest.mark.gen_test(timeout=20)
async def test_the_page_and_the_live_stream_come_under_tls(tmp_path: Path) -> None:
    unused, plain = bind_unused_port()
    unused.close()
    redirect = {"server.tls.redirect": f"127.0.0.1:{plain}", "server.prefix": "/monitor"}
    made = service(tmp_path, redirect)
    trust = str(tmp_path / "monitor.crt")
    client = AsyncHTTPClient()
    async with made.running() as url:
        assert url.startswith("https://127.0.0.1:")
        assert url.endswith("/monitor/")
        led = await client.fetch(f"http://127.0.0.1:{plain}/", follow_redirects=False, raise_error=False)
        assert led.headers["Location"] == url
        assert (await client.fetch(url, ca_certs=trust)).code == 200
        live = await websocket_connect(HTTPRequest(f"{url.replace('http', 'ws', 1)}live", ca_certs=trust))
        await live.write_message('{"type": "subscribe", "request": 1, "queries": ["node_boot_time_seconds"]}')
        seen = [json.loads(await live.read_message() or "{}")["type"] for _ in range(4)]
        assert seen[0] == "welcome"
        assert "tick" in seen
        metrics = (await client.fetch(f"{url}metrics", ca_certs=trust)).body.decode()
        assert "monitor_tls_certificate_expiry_timestamp_seconds 1" in metrics
    while await live.read_message() is not None:
        pass
    live.close()
    assert live.close_code == 1012


def test_files_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    made = service(tmp_path)
    (tmp_path / "monitor.key").chmod(0o644)
    with pytest.raises(StartError, match=r"monitor.key is open to others"):
        made.prepare()


def test_a_redirect_whose_port_is_taken_stops_the_start(tmp_path: Path) -> None:
    taken, port = bind_unused_port()
    made = service(tmp_path, {"server.tls.redirect": f"127.0.0.1:{port}"})
    with pytest.raises(StartError, match=r"already in use.*; stop it, or choose another server.tls.redirect"):
        made.prepare()
    taken.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"key": ""}, 'server.tls.key: found "", expected both key and certificate'),
        ({"certificate": ""}, "both key and certificate"),
        ({"certificate": "", "key": "", "redirect": "127.0.0.1:80"}, "nothing while there is no certificate"),
        ({"certificate": "", "key": "", "client_ca": "/a"}, "nothing while there is no certificate"),
        ({"redirect": "80"}, "an address and a port such as 0.0.0.0:80, or an empty text"),
        ({"key": "monitor.key"}, "the absolute path of a file"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(flags: dict[str, str], said: str) -> None:
    whole = {"certificate": "/a", "key": "/b"} | flags
    with pytest.raises(ConfigError, match=said):
        load(None, {}, {f"server.tls.{name}": value for name, value in whole.items()})


def test_workers_and_tls_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match=r"server.workers: found 2, expected 1 with server.tls, .* proxy"):
        load(None, {}, {"server.tls.certificate": "/a", "server.tls.key": "/b", "server.workers": "2"})
