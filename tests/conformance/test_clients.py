"""Clients of others take the upgrade and the compressed frames that all share: Node's `ws`, and `websockets`.

The browsers are in tests/e2e.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.service import running

SUBSCRIBE = json.dumps({"type": "subscribe", "request": 1, "board": "overview", "range": 1000})
VIEWER = Path(__file__).with_name("viewer.cjs")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running(tmp_path) as service:
        yield f"{service.url.replace('http', 'ws')}live"


def has_ws() -> bool:
    node = shutil.which("node")
    return (
        bool(node)
        and not subprocess.run(
            [str(node), "-e", "require('ws')"], stderr=subprocess.DEVNULL, check=False
        ).returncode
    )


def judge(types: list[str]) -> None:
    assert [kind for kind in types if kind in ("welcome", "subscribed")] == ["welcome", "subscribed"]
    assert types.count("tick") == 3


@pytest.mark.skipif(not find_spec("websockets"), reason="no websockets: pip install websockets")
@pytest.mark.gen_test(timeout=30)
async def test_websockets_is_a_viewer(url: str) -> None:
    client: Any = import_module("websockets.asyncio.client")
    types: list[str] = []
    async with client.connect(url, subprotocols=["monitor.v1"]) as viewer:
        await viewer.send(SUBSCRIBE)
        while types.count("tick") < 3:
            types.append(json.loads(await viewer.recv())["type"])
        names = [extension.name for extension in viewer.protocol.extensions]
    assert names == ["permessage-deflate"]
    judge(types)


@pytest.mark.gen_test(timeout=30)
async def test_nodes_ws_is_a_viewer(url: str) -> None:
    if not has_ws():
        pytest.skip("no ws: npm install ws, with NODE_PATH where it is")
    command = ["node", str(VIEWER), url, SUBSCRIBE]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    heard = json.loads(said)
    assert heard["extensions"] == "permessage-deflate"
    judge(heard["types"])
