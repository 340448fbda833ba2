"""The service's own figures, from its /metrics, and what the kernel tells of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

GONE = "monitor_sessions_gone_total"
KERNEL = "/proc/", "/sys/"


def held(pid: int) -> Counter[str]:
    """What a service has open, by what it is, but for the kernel's files (collectors keep one for each device
    of this machine, and devices come and go) and those of history, whose slots come and go."""
    found: Counter[str] = Counter()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # Closed since it was listed.
            name = str(descriptor.readlink())
            if not name.startswith(KERNEL) and "/history/" not in name:
                found[name.split(":")[0]] += 1
    return found


def figures(page: bytes) -> dict[str, float]:
    """Value by name and labels."""
    pairs = (line.rpartition(" ") for line in page.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def asked(url: str, patience: float = 60) -> dict[str, float]:
    """Of the service at this address, which may take so many seconds."""
    with urlopen(f"{url}metrics", timeout=patience) as answer:
        return figures(answer.read())


def gone(found: Mapping[str, float]) -> float:
    """Sessions that have ended, whatever the reason."""
    return sum(value for name, value in found.items() if name.startswith(GONE))
