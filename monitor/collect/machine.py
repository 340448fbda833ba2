"""What this machine is, beyond what its series tell.  Asked when somebody wants to know."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from monitor.collect.addresses import Address, addresses
from monitor.collect.disks import Disk, disks
from monitor.collect.host import Host
from monitor.collect.netlink import Ask, dump
from monitor.collect.virtualization import container, hypervisor

AGAIN = 5.0
"""Seconds for which an answer is good: asking often costs no more than asking now and then."""
PATIENCE = 2.0
"""Seconds that the kernel has to tell the addresses."""
ZONE = re.compile(r"/zoneinfo/(?:posix/|right/)?([\w+-]+(?:/[\w+-]+)*)$", re.ASCII)


class Facts(NamedTuple):
    """Empty texts and None for what cannot be known."""

    addresses: list[Address] | None
    disks: list[Disk]
    container: str
    hypervisor: str
    zone: str
    """By its name, `Europe/Berlin`."""


class Machine:
    """Asks the kernel; those who ask at once are given one answer."""

    def __init__(
        self, host: Host, instance: str, ask: Ask = dump, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._host = host
        self._instance = instance
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._facts: Facts | None = None
        self._due = -inf

    async def facts(self) -> Facts:
        """What it is, at most five seconds ago."""
        async with self._lock:
            if self._facts is None or self._clock() >= self._due:
                self._facts = await self._found()
                self._due = self._clock() + AGAIN
            return self._facts

    async def told(self) -> tuple[str, dict[str, Any]]:
        """The same as data that any room and JSON can hold, under the label `instance` of its series."""
        return self._instance, plain(await self.facts())

    async def _found(self) -> Facts:
        known = await self._addresses()
        self._host.fresh()
        with self._host.passing():
            return Facts(
                known, disks(self._host), container(self._host), hypervisor(self._host), zone(self._host)
            )

    async def _addresses(self) -> list[Address] | None:
        """None where the kernel does not tell."""
        with suppress(OSError, ValueError):
            async with asyncio.timeout(PATIENCE):
                return await addresses(self._ask)
        return None


def plain(facts: Facts) -> dict[str, Any]:
    addresses = None if facts.addresses is None else [each._asdict() for each in facts.addresses]
    return facts._asdict() | {"addresses": addresses, "disks": [each._asdict() for each in facts.disks]}


def zone(host: Host) -> str:
    """Where /etc/localtime leads to, or what /etc/timezone says; empty for a clock on UTC without either."""
    with suppress(OSError):
        if found := ZONE.search(str(Path(host.root("/etc/localtime")).readlink())):
            return found[1]
    with suppress(OSError):
        return host.read(host.root("/etc/timezone"))[:64].decode(errors="replace").strip()
    return ""
