"""Who gets a WebSocket, who does not, and that what they hear says why."""

import json

import pytest
from tornado.httpserver import HTTPServer

from tests.conformance.echo import Living
from tests.conformance.frames import FIN, TEXT, Reading, closing, frame
from tests.conformance.handshakes import HANDSHAKES, Handshake
from tests.conformance.peer import answer, dialled, request


@pytest.mark.gen_test
@pytest.mark.parametrize("handshake", HANDSHAKES, ids=str)
async def test_handshake(
    http_server: HTTPServer, http_port: int, living: Living, handshake: Handshake
) -> None:
    async with dialled(http_port) as (reader, writer):
        writer.write(handshake.sent)
        status, headers = await answer(reader)
    assert status == handshake.status
    assert {name: headers.get(name) for name in handshake.headers} == handshake.headers
    await living.none.wait()
    assert living.opened == (status == 101)


@pytest.mark.gen_test
async def test_a_refusal_says_what_was_wrong(http_server: HTTPServer, http_port: int) -> None:
    async with dialled(http_port) as (reader, writer):
        writer.write(request("/plain", "Connection: close", drop=("Connection",)))
        _, headers = await answer(reader)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
    assert body["error"]["code"] == "bad_handshake"
    assert "Connection" in body["error"]["message"]


@pytest.mark.gen_test
async def test_frames_may_follow_the_handshake_at_once(http_server: HTTPServer, http_port: int) -> None:
    """Not before the answer, by section 4.1; yet they are not lost."""
    async with dialled(http_port) as (reader, writer):
        writer.write(request("/plain") + frame(FIN | TEXT, b"Hello") + closing(1000))
        assert (await answer(reader))[0] == 101
        assert await Reading(reader).events() == [("text", "Hello"), ("close", 1000)]
