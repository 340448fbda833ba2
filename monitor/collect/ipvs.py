"""The kernel's load balancer: /proc/net/ip_vs_stats (hexadecimal sums) and /proc/net/ip_vs (one service and
below it its backends; addresses and ports in hexadecimal).  Linux, net/netfilter/ipvs/ip_vs_ctl.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

NET = "proc/net"
SUMS = (
    Metric("node_ipvs_connections_total", Kind.COUNTER, "Connections made."),
    Metric("node_ipvs_incoming_packets_total", Kind.COUNTER, "Packets received."),
    Metric("node_ipvs_outgoing_packets_total", Kind.COUNTER, "Packets sent."),
    Metric("node_ipvs_incoming_bytes_total", Kind.COUNTER, "Bytes received.", "bytes"),
    Metric("node_ipvs_outgoing_bytes_total", Kind.COUNTER, "Bytes sent.", "bytes"),
)
BACKEND = (
    Metric("node_ipvs_backend_weight", Kind.GAUGE, "Weight of a backend."),
    Metric("node_ipvs_backend_connections_active", Kind.GAUGE, "Active connections of a backend."),
    Metric("node_ipvs_backend_connections_inactive", Kind.GAUGE, "Inactive connections of a backend."),
)
PROTOCOLS = ("TCP", "UDP", "SCTP")
MARK = "FWM"


class Ipvs(Devices):
    wanted = ((NET, ("ip_vs_stats", "ip_vs")),)

    def samples(self, tree: Tree) -> Samples:
        if text := tree.text(f"{NET}/ip_vs_stats"):
            yield from zip((metric.at() for metric in SUMS), sums(text), strict=True)
        found: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for labels, values in backends(tree.text(f"{NET}/ip_vs")):
            held = found.setdefault(tuple(labels.items()), [0.0, 0.0, 0.0])
            held[:] = map(sum, zip(held, values, strict=True))
        for names, values in found.items():
            for metric, value in zip(BACKEND, values, strict=True):
                yield metric.at(**dict(names)), value


def sums(text: str) -> list[float]:
    """The five numbers below two lines of heads."""
    lines = text.splitlines()
    words = lines[2].split() if len(lines) > 2 else []
    if len(words) != len(SUMS):
        raise ValueError(f"ip_vs_stats: {len(SUMS)} numbers expected in line 3, found {words}")
    return [float(int(word, 16)) for word in words]


def backends(text: str) -> Iterator[tuple[dict[str, str], list[float]]]:
    """Labels and numbers (weight, active, inactive) of each backend."""
    service: dict[str, str] = {}
    for words in map(str.split, text.splitlines()):
        if words[:1] == [MARK]:
            service = {"proto": MARK, "local_address": "", "local_port": "0", "local_mark": words[1]}
        elif words[:1] and words[0] in PROTOCOLS:
            address, port = place(words[1])
            service = {"proto": words[0], "local_address": address, "local_port": port, "local_mark": ""}
        elif words[:1] == ["->"] and service:
            if len(words) != 6:
                raise ValueError(f"ip_vs: a backend with four columns expected, found {' '.join(words)!r}")
            address, port = place(words[1])
            yield service | {"remote_address": address, "remote_port": port}, list(map(float, words[3:]))


def place(text: str) -> tuple[str, str]:
    """Address and port of `C0A80016:0CEA` or `[2620:...:0001]:0050`."""
    address, _, port = text.rpartition(":")
    if address.startswith("["):
        return str(ip_address(address.strip("[]"))), str(int(port, 16))
    return str(ip_address(bytes.fromhex(address))), str(int(port, 16))
