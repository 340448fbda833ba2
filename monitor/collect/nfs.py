"""What this host asks of NFS servers: /proc/net/rpc/nfs, since boot.

Linux, net/sunrpc/stats.c and fs/nfs/nfs4xdr.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.rpc import VERSION_2, VERSION_3, Lines, procedures, rpc_table
from monitor.model import Block, Kind, Metric


def counter(field: str, text: str) -> Metric:
    return Metric(f"node_nfs_{field}_total", Kind.COUNTER, text)


PACKETS = counter("packets", "Packets sent and received.")
CONNECTIONS = counter("connections", "Connections over TCP.")
REQUESTS = counter("requests", "Calls of a procedure.")
NET = (None, PACKETS.at(protocol="udp"), PACKETS.at(protocol="tcp"), CONNECTIONS.at())
RPC = (
    counter("rpcs", "Remote calls.").at(),
    counter("rpc_retransmissions", "Remote calls sent again.").at(),
    counter("rpc_authentication_refreshes", "Times that credentials were renewed.").at(),
)
VERSION_4 = (
    "Null Read Write Commit Open OpenConfirm OpenNoattr OpenDowngrade Close Setattr FsInfo Renew "
    "SetClientID SetClientIDConfirm Lock Lockt Locku Access Getattr Lookup LookupRoot Remove Rename Link "
    "Symlink Create Pathconf StatFs ReadLink ReadDir ServerCaps DelegReturn GetACL SetACL FsLocations "
    "ReleaseLockowner Secinfo FsidPresent ExchangeID CreateSession DestroySession Sequence GetLeaseTime "
    "ReclaimComplete LayoutGet GetDeviceInfo LayoutCommit LayoutReturn SecinfoNoName TestStateID "
    "FreeStateID GetDeviceList BindConnToSession DestroyClientID Seek Allocate DeAllocate LayoutStats "
    "Clone"
)


LINES: Lines = {
    "net": NET,
    "rpc": RPC,
    "proc2": procedures(REQUESTS, "2", VERSION_2),
    "proc3": procedures(REQUESTS, "3", VERSION_3),
    "proc4": procedures(REQUESTS, "4", VERSION_4),
}


class Nfs:
    def __init__(self) -> None:
        self._table = rpc_table(LINES)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("net/rpc/nfs"))
