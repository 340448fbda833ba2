"""`monitor`, which on SIGUSR1 writes how many tasks its event loop has: `counted.py FILE serve`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from types import FrameType

from monitor.__main__ import main

told = Path(sys.argv[1])


def tell(_number: int, _frame: FrameType | None) -> None:
    # The handler runs in the main thread between two steps of the loop, which is then the running one.
    told.write_text(f"{len(asyncio.all_tasks(asyncio.get_event_loop()))}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell)
    sys.exit(main(sys.argv[2:]))
