"""python-websockets and its `broadcast()`, once a second, without compression.

python websockets_server.py PORT PAYLOAD_FILE
"""

from __future__ import annotations

import asyncio
import re
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

serving: Any = import_module("websockets.asyncio.server")
"""Not a dependency: the benchmark leaves this contestant out where it is not installed."""


async def listen(connection: Any) -> None:
    """Viewers only listen."""
    await connection.wait_closed()


async def main(port: int, payload: str) -> None:
    async with serving.serve(
        listen, "127.0.0.1", port, compression=None, ping_interval=10, backlog=4096
    ) as server:
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            text = re.sub(r'"t":\d+', f'"t":{time.time_ns() // 1_000_000}', payload)
            serving.broadcast(server.connections, text)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8")))
