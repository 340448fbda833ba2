"""How the installed service does, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.deploy.systemctl import CommandError, errors, properties
from monitor.deploy.units import SERVICE, SOCKET

SHOWN = 5
"""Errors of the journal."""
RUNNING, STOPPED, ABSENT = 0, 3, 4
"""Exit statuses, those of `systemctl status`."""
OF_SERVICE = (
    *("LoadState", "ActiveState", "SubState", "Result", "ActiveEnterTimestamp", "InactiveEnterTimestamp"),
    *("StatusText", "MainPID", "NRestarts", "UnitFileState"),
)


def status() -> tuple[int, list[str]]:
    """The exit status, and lines of text.  Raises CommandError."""
    service = properties(SERVICE, *OF_SERVICE)
    if service.get("LoadState") != "loaded":
        return ABSENT, [f"{SERVICE} is not installed; `monitor service install` does it"]
    socket = properties(SOCKET, "ActiveState", "Listen")
    running = service["ActiveState"] == "active"
    lines = [f"{SERVICE}: {state(service)}", *details(service, socket), *complaints()]
    return RUNNING if running else STOPPED, lines


def state(service: Mapping[str, str]) -> str:
    """`active (running) since ...`."""
    running = service["ActiveState"] == "active"
    since = service["ActiveEnterTimestamp" if running else "InactiveEnterTimestamp"]
    why = "" if service["Result"] == "success" else f", because of {service['Result']}"
    return f"{service['ActiveState']} ({service['SubState']}){f' since {since}' if since else ''}{why}"


def details(service: Mapping[str, str], socket: Mapping[str, str]) -> Iterator[str]:
    if service["StatusText"]:
        yield f"  says      {service['StatusText']}"
    if service["MainPID"] != "0":
        yield f"  process   {service['MainPID']}, restarted {service['NRestarts']} times"
    yield f"  at boot   {service['UnitFileState'] or 'not started'}"
    if socket.get("ActiveState") == "active":
        addresses = ", ".join(word for word in socket["Listen"].split() if not word.startswith("("))
        yield f"  listens   on {addresses}, kept by {SOCKET} while it restarts"
    else:
        yield f"  listens   by itself: {SOCKET} is not active, so a restart refuses connections"


def complaints() -> Iterator[str]:
    """The newest errors, as far as the journal shows them to whoever asks."""
    try:
        lines = errors(SERVICE, SHOWN)
    except CommandError as error:
        yield f"  errors    not known: {error}"
        return
    yield f"  errors    {'the newest:' if lines else 'none in the journal'}"
    yield from (f"    {line}" for line in lines)
