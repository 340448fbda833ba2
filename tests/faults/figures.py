"""The service's own figures, from its /metrics."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.request import urlopen

GONE = "monitor_sessions_gone_total"


def figures(page: bytes) -> dict[str, float]:
    """Value by name and labels."""
    pairs = (line.rpartition(" ") for line in page.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def asked(url: str) -> dict[str, float]:
    """Of the service at this address."""
    with urlopen(f"{url}metrics") as answer:
        return figures(answer.read())


def gone(found: Mapping[str, float]) -> float:
    """Sessions that have ended, whatever the reason."""
    return sum(value for name, value in found.items() if name.startswith(GONE))
