"""Stands for the worker that asks statvfs: a mount with a FIFO `dead` in it does not answer until that is
opened to be written; every other is as big as 5 KiB."""

import os
import sys
from pathlib import Path


def answer(path: str) -> str:
    dead = Path(path, "dead")
    if dead.exists():
        dead.open("rb").close()
    return "5120 4096 4096 20 10"


for line in sys.stdin:
    paths = [os.fsdecode(bytes.fromhex(each)) for each in line.split()]
    sys.stdout.write(";".join(map(answer, paths)) + "\n")
    sys.stdout.flush()
