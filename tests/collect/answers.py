"""Stands for the worker that asks statvfs: answers at once, the same on every machine.

A mount at `/net/gone` answers with an error; every other is as big as its path is long.
"""

import os
import sys

ROOT = b"/root"

for line in sys.stdin.buffer:
    path = bytes.fromhex(line.decode()).rpartition(ROOT)[2]
    size = 1 << 20 + len(path)
    words = [size, size >> 1, size >> 2, 1000 + len(path), 10]
    answer = b"error 5" if path == b"/net/gone" else b" ".join(b"%d" % word for word in words)
    os.write(1, answer + b"\n")
