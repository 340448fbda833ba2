"""TCP connections by state, and bytes in their queues: sock_diag(7), for IPv4 and IPv6.

A host may have a hundred thousand of them, so they are asked for every few seconds and counted by pieces.
"""

from __future__ import annotations

import socket
import struct

from monitor.collect.host import Host
from monitor.collect.netlink import Asker
from monitor.model import Block, Kind, Layout, Metric

SOCK_DIAG = 4
BY_FAMILY = 20
QUESTION = struct.Struct("=BBBxI48x")
"""Family, protocol, extensions, bits of the states that are asked for."""
ANSWER = struct.Struct("=BBxx48x4xII8x")
"""Family, state, bytes received, bytes to send."""
ALL = 0xFFF
STATES = (
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
)
"""Linux, include/net/tcp_states.h, from 1 on."""
QUEUES = ("rx_queued_bytes", "tx_queued_bytes")
CONNECTIONS = Metric(
    "node_tcp_connection_states", Kind.GAUGE, "Connections in a state, and bytes in all their queues."
)
LAYOUT = Layout(CONNECTIONS.at(state=state) for state in (*STATES, *QUEUES))


class Tcpstat(Asker):
    limit = 10.0

    async def refresh(self, _host: Host) -> list[Block]:
        """Count them all."""
        counts = [0] * len(STATES)
        received = sent = 0
        for family in (socket.AF_INET, socket.AF_INET6):
            question = QUESTION.pack(family, socket.IPPROTO_TCP, 0, ALL)
            async for message in self.ask(SOCK_DIAG, BY_FAMILY, question):
                _, state, come, waiting = ANSWER.unpack_from(message)
                if 0 < state <= len(STATES):
                    counts[state - 1] += 1
                received += come
                sent += waiting
        return [Block(LAYOUT, [*map(float, counts), float(received), float(sent)])]
