"""Attributes of sysfs: files that hold one value each (Linux, Documentation/filesystems/sysfs.rst).

A driver may answer with an error as long as a device sleeps or has no such sensor, and a device may go at any
time, so what cannot be read is not there.
"""

from __future__ import annotations

from monitor.collect.host import Host


def text(host: Host, path: str) -> str | None:
    """The text of a file below sysfs without its end of line; None where it cannot be read."""
    try:
        return host.sys(path).strip()
    except OSError:
        return None


def number(host: Host, path: str) -> float | None:
    """The number in a file below sysfs; None where there is none."""
    found = text(host, path)
    try:
        return None if found is None else float(found)
    except ValueError:
        return None


def names(host: Host, folder: str) -> list[str]:
    """What a folder below sysfs holds, sorted; nothing where it is gone."""
    try:
        return host.names(f"{host.sysfs}/{folder}")
    except OSError:
        return []
