"""Probes of the network against real servers: good ones, closed, silent, strange, and untrusted."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.collect import Host
from monitor.collect.prober import echo
from monitor.collect.probes import PROGRAM, Probes
from monitor.collect.workers import Pool
from monitor.config import Settings
from tests.collect.samples import HERE, collected, host
from tests.tls import pair

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def says(answer: bytes) -> Serve:
    """A server that answers a request, and leaves the connection open."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):  # As of a client that does not trust us.
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await reader.read()
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        await reader.read()
    writer.close()


@asynccontextmanager
async def server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port."""
    made = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with made:
        yield made.sockets[0].getsockname()[1]


async def asked(*targets: str, limit: float = 5.0) -> dict[str, dict[str, float]]:
    """What is told of each target, by metric and phase."""
    source = Probes(targets=targets, timeout=limit)
    try:
        (block,) = await source.refresh(Host())
    finally:
        await source.close()
    found: dict[str, dict[str, float]] = {target: {} for target in targets}
    for series, value in zip(block.layout.series, block.values, strict=True):
        labels = dict(series.labels)
        name = " ".join(
            [series.name.removeprefix("probe_"), *([labels["phase"]] if "phase" in labels else [])]
        )
        found[labels["target"]][name] = value
    return found


@pytest.mark.parametrize("answer", [LENGTH, CHUNKED])
def test_a_web_server_that_answers_is_told_of_with_each_part_of_the_time(answer: bytes) -> None:
    async def test() -> None:
        async with server(says(answer)) as port:
            target = f"http://127.0.0.1:{port}/health?deep=1"
            found = (await asked(target))[target]
        assert found["success"] == 1
        assert found["http_status_code"] == 200
        assert found["http_version"] == 1.1
        assert found["http_content_length"] == (5 if answer is LENGTH else 15)
        assert found["ip_protocol"] == 4
        parts = [
            found[f"http_duration_seconds {each}"]
            for each in ("resolve", "connect", "processing", "transfer")
        ]
        assert 0 < sum(parts) <= found["duration_seconds"] < 5

    asyncio.run(test())


def test_what_fails_is_told_apart_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with (
            server(says(LENGTH)) as good,
            server(says(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as busy,
            server(says(b"220 mail.example.org ESMTP\r\n\r\n")) as mail,
            server(silent) as dead,
        ):
            names = {
                "good": f"http://127.0.0.1:{good}/",
                "busy": f"http://127.0.0.1:{busy}/",
                "mail": f"http://127.0.0.1:{mail}/",
                "dead": f"http://127.0.0.1:{dead}/",
                "open": f"tcp://127.0.0.1:{dead}",
                "closed": "tcp://127.0.0.1:1",
                "nowhere": "https://name.invalid/",
            }
            found = await asked(*names.values(), limit=1.0)
        success = {name: bool(found[target]["success"]) for name, target in names.items()}
        assert [name for name, good_one in success.items() if good_one] == ["good", "open"]
        assert found[names["busy"]]["http_status_code"] == 503
        assert found[names["dead"]]["duration_seconds"] >= 1
        assert found[names["good"]]["duration_seconds"] < 1

    with caplog.at_level("INFO"):
        asyncio.run(test())
    said = "\n".join(caplog.messages)
    assert "status 503" in said
    assert "an answer of HTTP expected, found '220 mail.example.org ESMTP'" in said
    assert "no answer in 1 s" in said
    assert "tcp://127.0.0.1:1: fails: [Errno 111]" in said


def test_until_when_a_certificate_is_good_is_told_and_one_that_is_not_trusted_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = pair(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    decoded = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]

    async def measured() -> tuple[dict[str, float], dict[str, float]]:
        async with server(says(LENGTH), context) as port:
            web, plain = f"https://127.0.0.1:{port}/", f"tls://127.0.0.1:{port}"
            found = await asked(web, plain)
        return found[web], found[plain]

    refused = asyncio.run(measured())
    assert [each["success"] for each in refused] == [0, 0]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    web, plain = asyncio.run(measured())
    assert web["success"] == plain["success"] == 1
    expiry = ssl.cert_time_to_seconds(decoded["notAfter"])
    assert web["ssl_earliest_cert_expiry"] == plain["ssl_earliest_cert_expiry"] == expiry
    assert web["http_duration_seconds tls"] > 0


def test_an_echo_comes_back_from_this_machine(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        found = asyncio.run(asked("icmp://127.0.0.1"))["icmp://127.0.0.1"]
    if not found["success"] and "not allowed" in caplog.text:
        pytest.skip("echoes are not allowed here")
    assert found["success"] == 1
    assert 0 < found["icmp_duration_seconds rtt"] < found["duration_seconds"]


def test_an_echo_has_the_checksum_of_the_internet() -> None:
    message = echo(8, bytes(range(16)))
    words = [int.from_bytes(message[place : place + 2]) for place in range(0, len(message), 2)]
    total = sum(words)
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


def test_a_target_that_fails_and_comes_back_is_logged_once_for_each(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "prober.py"
    fails = json.dumps({"tcp://a:1": {"success": False, "error": "refused", "seconds": 0.1}})
    works = json.dumps({"tcp://a:1": {"success": True, "error": "", "seconds": 0.1}})
    program.write_text(
        f"import sys\nfor answer in ({fails!r}, {fails!r}, {works!r}):\n"
        "    sys.stdin.readline()\n    print(answer, flush=True)\n"
    )

    async def three_times() -> None:
        source = Probes(targets=["tcp://a:1"], pool=Pool(program))
        for _ in range(3):
            await source.refresh(Host())
        await source.close()

    with caplog.at_level("INFO"):
        asyncio.run(three_times())
    assert caplog.messages == ["probe tcp://a:1: fails: refused", "probe tcp://a:1: works again"]


def test_nothing_is_asked_that_nobody_named() -> None:
    source = Probes(pool=Pool(HERE / "prober.py"))
    with pytest.raises(FileNotFoundError, match="no targets"):
        collected(source, host("desktop"))
    assert not source._prober._pool._idle
    assert PROGRAM.exists()


def configured(*targets: str) -> tuple[str, ...]:
    """The targets as the settings have them."""
    collectors = {"probes": {"targets": targets}}
    return Settings.model_validate({"collect": {"collectors": collectors}}).collect.collectors.probes.targets


@pytest.mark.parametrize(
    "target",
    [
        "example.org",
        "ftp://a/",
        "tcp://a",
        "icmp://a/b",
        "icmp://a:1",
        "https://u:p@a/",
        "https://:p@a/",
        "http://a/ b",
        "http://",
        "tcp://a:99999",
    ],
)
def test_a_target_that_cannot_be_asked_is_refused(target: str) -> None:
    with pytest.raises(ValidationError, match=r"a target such as icmp://192.0.2.1"):
        configured(target)


def test_targets_that_can_be_asked_are_taken() -> None:
    good = ["icmp://192.0.2.1", "tcp://[::1]:22", "tls://db:5432", "http://a", "https://a:8443/b?c=d"]
    assert list(configured(*good)) == good
