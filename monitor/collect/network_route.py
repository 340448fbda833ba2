"""The routes of the host, by device: rtnetlink(7), RTM_GETROUTE.

Linux, include/uapi/linux/rtnetlink.h: those to a single destination (RTN_UNICAST) in all tables.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from monitor.collect.host import Host
from monitor.collect.links import ROUTE, links
from monitor.collect.netlink import Asker, aligned, attributes
from monitor.collect.table import layout
from monitor.model import Block, Kind, Metric

MOST = 1000
"""Routes that are told one by one; a router of the Internet has a million, which are counted only."""
GETROUTE = 26
HEAD = struct.Struct("=BBBBBBBBI")
"""Family, length of the destination, of the source, service, table, protocol, scope, type, flags."""
HOP = struct.Struct("=HBBi")
"""Length, flags, weight less one, device."""
UNICAST = 1
DESTINATION, DEVICE, GATEWAY, PRIORITY, SOURCE, HOPS = 1, 4, 5, 6, 7, 9
PROTOCOLS = {
    0: "unspec",
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    13: "dnrouted",
    14: "xorp",
    15: "ntk",
    16: "dhcp",
    17: "mrouted",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}
INFO = Metric("node_network_route_info", Kind.GAUGE, "Always 1; the labels tell a route.")
ROUTES = Metric("node_network_routes", Kind.GAUGE, "Routes over a network device.")

Labels = dict[str, str]


@dataclass(eq=False)
class NetworkRoute(Asker):
    every: float = 10.0

    async def refresh(self, _host: Host) -> list[Block]:
        """Ask for all routes; the first ones are told, all are counted."""
        names = await links(self.ask)
        told: dict[tuple[tuple[str, str], ...], None] = {}
        counts: Counter[str] = Counter()
        async for message in self.ask(ROUTE, GETROUTE, bytes(HEAD.size)):
            for labels in routes(message, names):
                counts[labels["device"]] += 1
                if len(told) < MOST:
                    told[tuple(labels.items())] = None
        infos = [INFO.at(**{name: value for name, value in labels if value}) for labels in told]
        totals = [ROUTES.at(device=device) for device in sorted(counts)]
        return [
            Block(layout(tuple(infos)), [1.0] * len(infos)),
            Block(layout(tuple(totals)), [float(counts[device]) for device in sorted(counts)]),
        ]


def routes(message: bytes, names: dict[int, str]) -> Iterator[Labels]:
    """The labels of a route, or of each of its ways where it has several."""
    _, bits, _, _, _, protocol, _, kind, _ = HEAD.unpack_from(message)
    if kind != UNICAST:
        return
    found = attributes(message, HEAD.size)
    destination = address(found.get(DESTINATION, b""))
    labels = {
        "src": address(found.get(SOURCE, b"")),
        "dest": f"{destination}/{bits}" if bits else "default",
        "priority": str(number(found.get(PRIORITY, b""))),
        "proto": PROTOCOLS.get(protocol, "unknown"),
    }
    for device, gateway, weight in ways(found):
        yield {"device": names.get(device, ""), **labels, "gw": address(gateway), "weight": weight}


def ways(found: dict[int, bytes]) -> Iterator[tuple[int, bytes, str]]:
    """Device, gateway and weight of each way of a route; one way has no weight."""
    if HOPS not in found:
        yield number(found.get(DEVICE, b"")), found.get(GATEWAY, b""), ""
        return
    hops, start = found[HOPS], 0
    while start + HOP.size <= len(hops):
        length, _, more, device = HOP.unpack_from(hops, start)
        if not HOP.size <= length <= len(hops) - start:
            raise ValueError(f"netlink: a hop of {length} bytes in {len(hops) - start}")
        gateway = attributes(hops[start : start + length], HOP.size).get(GATEWAY, b"")
        yield device, gateway, str(more + 1)
        start += aligned(length)


def address(value: bytes) -> str:
    """An address in words; empty where there is none."""
    return str(ip_address(value)) if value else ""


def number(value: bytes) -> int:
    (found,) = struct.unpack("=I", value or bytes(4))
    return int(found)
