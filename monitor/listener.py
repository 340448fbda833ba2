"""Who listens on a TCP port, by /proc/net/tcp and /proc/*/fd (proc(5)).

Only root sees the files of other users' processes; to anybody else their owner is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTEN = "0A"
"""The state TCP_LISTEN in /proc/net/tcp (include/net/tcp_states.h)."""


def owner_of(port: int, proc: Path = Path("/proc")) -> str | None:
    """The process that listens on a port of any address, as `name (pid 123)`; None where it cannot be
    seen."""
    links = {f"socket:[{inode}]" for table in ("net/tcp", "net/tcp6") for inode in inodes(proc / table, port)}
    for process in proc.glob("[0-9]*"):
        # A process may end while it is looked at, and others' are closed to us.
        with suppress(OSError):
            if any(link in links for link in targets(process / "fd")):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def inodes(table: Path, port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a port, in one address family; none where there is no such
    family."""
    with suppress(FileNotFoundError):
        for row in table.read_text().splitlines()[1:]:
            words = row.split()
            if words[3] == LISTEN and int(words[1].rpartition(":")[2], 16) == port:
                yield words[9]


def targets(folder: Path) -> Iterator[str]:
    """Where the links of a folder lead.  A file that was closed in between has none."""
    for link in folder.iterdir():
        with suppress(FileNotFoundError):
            yield str(link.readlink())
