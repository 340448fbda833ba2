"""Several viewers in a process of their own.

    python -m tests.chaos.crowd '[[SEED, PLACE], ...]'

It reads commands from standard input, one a line, and ends with it: `{"to": [0, 1], "do": "reset"}`.  To
`{"reach": N}` it answers when all viewers have column N, and to `{"report": true}` with all that they hold.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from tests.chaos.line import Place
from tests.chaos.viewer import Viewer


async def commands() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        yield json.loads(line)


def say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def main(wanted: list[Any]) -> None:
    viewers = [Viewer(Place(*place), seed) for seed, place in wanted]
    watching = [asyncio.create_task(viewer.run()) for viewer in viewers]
    async for command in commands():
        if "reach" in command:
            await asyncio.gather(*(viewer.reach(command["reach"]) for viewer in viewers))
            say({"reached": command["reach"]})
        elif "report" in command:
            say([viewer.report() for viewer in viewers])
        else:
            for place in command["to"]:
                getattr(viewers[place], command["do"])()
        for task in watching:
            if task.done():
                task.result()
    for task in watching:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
