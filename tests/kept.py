"""A listening socket that is kept while services come and go, handed to each as systemd does it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

BACKLOG = 4096
"""As in deploy/monitor.socket."""
LAUNCH = """
import os, sys
kept, *command = sys.argv[1:]
os.dup2(int(kept), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "monitor.socket"}
os.execv(command[0], command)
"""
"""The variables bear the process's own number, so it is this process that becomes the service."""


@contextmanager
def kept_socket(host: str, port: int = 0) -> Iterator[socket.socket]:
    with socket.create_server((host, port), backlog=BACKLOG) as kept:
        kept.set_inheritable(True)
        yield kept


def handed(kept: socket.socket, command: Sequence[str]) -> list[str]:
    """A command that begins with the socket as its descriptor 3; `kept` must be inherited by it."""
    return [sys.executable, "-S", "-c", LAUNCH, str(kept.fileno()), *command]
