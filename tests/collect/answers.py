"""Stands for the worker that asks statvfs: answers at once, the same on every machine.

A mount at `/net/gone` answers with an error; every other is as big as its path is long.
"""

import os
import sys

ROOT = b"/root"


def answer(path: bytes) -> bytes:
    size = 1 << 20 + len(path)
    words = [size, size >> 1, size >> 2, 1000 + len(path), 10]
    return b"error 5" if path == b"/net/gone" else b" ".join(b"%d" % word for word in words)


for line in sys.stdin.buffer:
    paths = [bytes.fromhex(each).rpartition(ROOT)[2] for each in line.decode().split()]
    os.write(1, b";".join(map(answer, paths)) + b"\n")
