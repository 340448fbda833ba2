"""How often somebody may try to log in: five wrong tries a minute, then ever longer pauses."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

FREE = 5
"""Wrong tries within a minute, before the first pause."""
MINUTE = 60.0
LONGEST = 900.0
"""Seconds of the longest pause: a stranger who tries another's name keeps that one out for no longer."""
REMEMBERED = 10_000
"""Who is counted at most; who failed longest ago is forgotten first."""


@dataclass(slots=True)
class Tries:
    wrong: int
    since: float
    """When the first of them was, or the last pause began."""
    until: float
    """End of the pause; in the past where there is none."""


class Attempts:
    """Counts the wrong tries of each key: an address, or a user's name.  Times are in monotonic seconds."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def pause(self, now: float, *keys: str) -> float:
        """Seconds until any of these may try again; 0 for now."""
        held = [self._tries[key].until - now for key in keys if key in self._tries]
        return max(0.0, *held) if held else 0.0

    def wrong(self, now: float, *keys: str) -> None:
        for key in keys:
            self._count(key, now)

    def right(self, key: str) -> None:
        self._tries.pop(key, None)

    def _count(self, key: str, now: float) -> None:
        tries = self._tries.pop(key, None)
        if tries is None or now - max(tries.since, tries.until) > self._memory(tries):
            tries = Tries(0, now, now)
        tries.wrong += 1
        if tries.wrong >= FREE:
            pause = min(LONGEST, MINUTE * 2 ** (tries.wrong - FREE))
            tries.since, tries.until = now, now + pause
        self._tries[key] = tries
        if len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    @staticmethod
    def _memory(tries: Tries) -> float:
        """Seconds after which all is forgotten: a minute, or the longest pause for those who have had one."""
        return MINUTE if tries.wrong < FREE else LONGEST


def network(address: str) -> str:
    """Whom an address belongs to: itself, or its /64, of which one customer has all (RFC 6177)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else f"{IPv6Address(int(found) >> 64 << 64)}/64"
