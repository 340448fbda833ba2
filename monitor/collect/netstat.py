"""Counts of the network protocols: /proc/net/netstat and /proc/net/snmp (a line of names, then a line of
numbers, both led by the protocol) and /proc/net/snmp6 (a name and a number on each line).

RFC 4293, 4022 and 4113 define those of snmp; Linux, net/ipv4/proc.c and net/ipv6/proc.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.lines import Lines
from monitor.collect.table import layout, pick
from monitor.model import Block, Kind, Metric

FIELDS = (
    r"^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
    r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
    r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
    r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$"
)


class Netstat:
    """The fields `Protocol_Name` that match a pattern."""

    def __init__(self, fields: str = FIELDS) -> None:
        self._fields = re.compile(fields)
        self._pairs = Pairs(self._fields)
        self._lines = Lines(self._wanted)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._pairs.block(host.proc("net/netstat") + host.proc("net/snmp"))
        try:
            yield self._lines.block(host.proc("net/snmp6"))
        except FileNotFoundError:
            return  # IPv6 is switched off.

    def _wanted(self, name: str) -> Metric | None:
        protocol, six, rest = name.partition("6")
        field = f"{protocol}{six}_{rest}"
        return metric(field) if self._fields.search(field) else None


class Pairs:
    """Reads lines of names, each followed by its line of numbers; finds the fields again only when a name
    changed."""

    def __init__(self, fields: re.Pattern[str]) -> None:
        self._fields = fields
        self._names: list[str] = []
        self._layout = layout(())
        self._lines = self._places = pick(())
        self._count = 0

    def block(self, text: str) -> Block:
        """The numbers of the fields.  Raises ValueError where names and numbers are not as many."""
        lines = text.splitlines()
        if len(lines) % 2:
            raise ValueError("net/snmp: a line of numbers expected behind each line of names")
        if lines[::2] != self._names:
            self._find(lines[::2], lines[1::2])
        words = " ".join(self._lines(lines[1::2])).split()
        if len(words) != self._count:
            raise ValueError(f"net/snmp: {self._count} words expected for as many names, found {len(words)}")
        return Block(self._layout, list(map(float, self._places(words))))

    def _find(self, names: list[str], numbers: list[str]) -> None:
        """Note where the fields are: which lines of numbers, and which words of those put together."""
        if [line.partition(":")[0] for line in names] != [line.partition(":")[0] for line in numbers]:
            raise ValueError("net/snmp: a line of names and one of numbers expected for each protocol")
        lines, places, fields = [], [], []
        self._count = 0
        for line, (protocol, *rest) in enumerate(map(str.split, names)):
            found = [f"{protocol.removesuffix(':')}_{name}" for name in rest]
            wanted = [place for place, field in enumerate(found, 1) if self._fields.search(field)]
            if wanted:
                lines.append(line)
                places += [self._count + place for place in wanted]
                fields += [found[place - 1] for place in wanted]
                self._count += 1 + len(rest)
        self._names, self._lines, self._places = names, pick(lines), pick(places)
        self._layout = layout(tuple(metric(field).at() for field in fields))


def metric(field: str) -> Metric:
    """The metric of a field."""
    return Metric(f"node_netstat_{field}", Kind.UNKNOWN, f"{field} as the kernel's network stack counts it.")
