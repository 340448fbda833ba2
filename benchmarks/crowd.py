"""Real processes that sleep, as many as are wanted: made by one server, gone when they are let go of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SERVER = """
import os, sys
with open("/proc/self/comm", "w") as comm:
    comm.write("crowd")
for _ in range(int(sys.argv[1])):
    if not os.fork():
        sys.stdin.buffer.read()
        os._exit(0)
print("ready", flush=True)
sys.stdin.buffer.read()
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


@contextmanager
def crowd(number: int) -> Iterator[int]:
    """So many sleeping processes, and the pid of the one that made them; all are called `crowd`."""
    command = [sys.executable, "-S", "-c", SERVER, str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield server.pid
        finally:
            server.stdin.close()
