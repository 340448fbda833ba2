"""The names of the network devices by their numbers (rtnetlink(7), RTM_GETLINK)."""

from __future__ import annotations

import struct

from monitor.collect.netlink import Ask, attributes, text

ROUTE = 0
"""NETLINK_ROUTE."""
GETLINK = 18
HEAD = struct.Struct("=BxHiII")
"""Family, type of device, its number, flags, change."""
NAME = 3


async def links(ask: Ask) -> dict[int, str]:
    """Name by number."""
    found: dict[int, str] = {}
    async for message in ask(ROUTE, GETLINK, bytes(HEAD.size)):
        _, _, number, _, _ = HEAD.unpack_from(message)
        found[number] = text(attributes(message, HEAD.size).get(NAME, b""))
    return found
