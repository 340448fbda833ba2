"""How many file descriptors this process may have, and how many it needs (getrlimit(2))."""

from __future__ import annotations

import resource

BESIDES = 704
"""Descriptors beside those of the viewers: the service's files, and connections that are no viewers."""


def raise_limit() -> int:
    """Raise the soft limit to the hard one; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def shortage(clients: int, limit: int) -> str | None:
    """What is wrong with so many viewers under this limit, and what to do; None where they have room."""
    if clients + BESIDES <= limit:
        return None
    return (
        f"server.websocket.max_clients: found {clients}, expected at most {max(0, limit - BESIDES)}, because "
        f"this process may open {limit} files, of which {BESIDES} are for other things; lower it, or allow "
        f"LimitNOFILE={clients + BESIDES} in the unit file (`ulimit -Hn {clients + BESIDES}` in a shell)"
    )
