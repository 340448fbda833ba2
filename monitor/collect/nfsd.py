"""What NFS clients ask of this host: /proc/net/rpc/nfsd, since boot (Linux, fs/nfsd/stats.c).

RFC 7530, section 16, numbers the operations of version 4 from 3 on.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.rpc import VERSION_2, VERSION_3, Lines, procedures, rpc_table
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric


def counter(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_nfsd_{field}_total", Kind.COUNTER, text, unit)


PACKETS = counter("packets", "Packets sent and received.")
ERRORS = counter("rpc_errors", "Remote calls refused.")
REQUESTS = counter("requests", "Calls of a procedure or operation.")
SERVED = (
    "- - - Access Close Commit Create DelegPurge DelegReturn GetAttr GetFH Link Lock Lockt Locku Lookup "
    "LookupRoot Nverify Open OpenAttr OpenConfirm OpenDgrd PutFH - - Read ReadDir ReadLink Remove Rename "
    "Renew RestoreFH SaveFH SecInfo SetAttr Verify Write RelLockOwner"
)
"""By number; `-` for those that are none or that node_exporter does not count."""
AHEAD = Metric("node_nfsd_read_ahead_cache_size_blocks", Kind.GAUGE, "Size of the cache to read ahead.")
MISSED = counter("read_ahead_cache_not_found", "Reads that the cache to read ahead did not have.")
THREADS = Metric("node_nfsd_server_threads", Kind.GAUGE, "Threads of the kernel's NFS server.")


def named(names: tuple[str, ...], text: str) -> list[Entry | None]:
    """Counters without labels."""
    return [counter(name, text, "bytes" if "bytes" in name else "").at() for name in names]


LINES: Lines = {
    "rc": named(
        ("reply_cache_hits", "reply_cache_misses", "reply_cache_nocache"), "Replies by use of the cache."
    ),
    "fh": named(("file_handles_stale",), "Handles of files that are gone."),
    "io": named(("disk_bytes_read", "disk_bytes_written"), "Bytes moved from or to the disks."),
    "th": [THREADS.at()],
    "ra": [AHEAD.at(), *[None] * 10, MISSED.at()],
    "net": [
        None,
        PACKETS.at(proto="udp"),
        PACKETS.at(proto="tcp"),
        counter("connections", "Connections over TCP.").at(),
    ],
    "rpc": [
        counter("server_rpcs", "Remote calls.").at(),
        None,
        *(ERRORS.at(error=error) for error in ("fmt", "auth", "cInt")),
    ],
    "proc2": procedures(REQUESTS, "2", VERSION_2.replace("Null", "-")),
    "proc3": procedures(REQUESTS, "3", VERSION_3.replace("Null", "-")),
    "proc4ops": procedures(REQUESTS, "4", SERVED),
    "wdeleg_getattr": [REQUESTS.at(proto="4", method="WdelegGetattr")],
}


class Nfsd:
    def __init__(self) -> None:
        self._table = rpc_table(LINES)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("net/rpc/nfsd"))
