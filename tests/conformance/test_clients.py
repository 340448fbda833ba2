"""Clients of others take the upgrade and the compressed frames that all share: Node's `ws`, and `websockets`.

The browsers are in tests/e2e.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from setup import install_modules
from tests import node
from tests.service import running

SUBSCRIBE = json.dumps({"type": "subscribe", "request": 1, "board": "overview", "range": 1000})
VIEWER = Path(__file__).with_name("viewer.cjs")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path) as service:
        yield f"{service.url.replace('http', 'ws')}live"


def judge(types: list[str]) -> None:
    assert [kind for kind in types if kind in ("welcome", "subscribed")] == ["welcome", "subscribed"]
    assert types.count("tick") == 3


@pytest.mark.gen_test(timeout=30)
async def test_websockets_is_a_viewer(url: str) -> None:
    types: list[str] = []
    async with connect(url, subprotocols=[Subprotocol("monitor.v1")]) as viewer:
        await viewer.send(SUBSCRIBE)
        while types.count("tick") < 3:
            types.append(json.loads(await viewer.recv())["type"])
        names = [extension.name for extension in viewer.protocol.extensions]
    assert names == ["permessage-deflate"]
    judge(types)


@pytest.mark.gen_test(timeout=30)
async def test_nodes_ws_is_a_viewer(url: str) -> None:
    install_modules(tools=True)
    command = [str(node.node()), str(VIEWER), url, SUBSCRIBE]
    environment = {**os.environ, "NODE_PATH": str(node.MODULES)}
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    said, _ = await process.communicate()
    heard = json.loads(said)
    assert heard["extensions"] == "permessage-deflate"
    judge(heard["types"])
