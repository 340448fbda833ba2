"""Which block device is behind a mount: /proc/1/mountinfo (proc(5)).

Fields: number, parent, `major:minor`, root, mount point, and more, with blanks and backslashes in octal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from monitor.collect.host import Host

POINT = 4
Numbers = Mapping[bytes, tuple[str, str]]
"""Major and minor number by mount point."""


def devices(host: Host, unescaped: Callable[[bytes], bytes]) -> Numbers:
    """The device of each mount point that the first process sees, or this one where that cannot be read;
    nothing where neither can."""
    for process in ("1", "self"):
        try:
            return read(host.read(f"{host.procfs}/{process}/mountinfo"), unescaped)
        except OSError:
            continue  # Hidden from this service, or not in the kernel.
    return {}


@lru_cache(maxsize=4)
def read(table: bytes, unescaped: Callable[[bytes], bytes]) -> Numbers:
    """The device of each mount point of a table, the one mounted last where there are several.

    Raises ValueError for a line that is none.
    """
    found: dict[bytes, tuple[str, str]] = {}
    for line in table.split(b"\n")[:-1]:
        fields = line.split(b" ")
        major, colon, minor = fields[2].partition(b":") if len(fields) > POINT else (b"", b"", b"")
        if not colon:
            raise ValueError(f"mountinfo: a device and a mount point expected, found {line!r}")
        found[unescaped(fields[POINT])] = major.decode(errors="replace"), minor.decode(errors="replace")
    return found
