"""The IP addresses of network devices (rtnetlink(7), RTM_GETADDR; Linux, include/uapi/linux/if_addr.h)."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import NamedTuple

from monitor.collect.links import ROUTE, links
from monitor.collect.netlink import Ask, attributes, dump

GETADDR = 22
HEAD = struct.Struct("=BBBBI")
"""Family, bits of the network, flags, scope, number of the device."""
ADDRESS, LOCAL = 1, 2
"""LOCAL is the device's own where it differs, as the other end of a line is meant by ADDRESS."""
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
MOST = 256


class Address(NamedTuple):
    device: str
    address: str
    """With the bits of its network, `192.0.2.1/24`."""
    scope: str


async def addresses(ask: Ask = dump) -> list[Address]:
    """Those of this process's network namespace, in the kernel's order, the first 256.  Raises OSError."""
    names = await links(ask)
    found: list[Address] = []
    async for message in ask(ROUTE, GETADDR, bytes(HEAD.size)):
        _, bits, _, scope, number = HEAD.unpack_from(message)
        known = attributes(message, HEAD.size)
        value = known.get(LOCAL) or known.get(ADDRESS, b"")
        if len(value) in (4, 16) and len(found) < MOST:
            text = f"{ip_address(value)}/{bits}"
            found.append(Address(names.get(number, str(number)), text, SCOPES.get(scope, str(scope))))
    return found
