"""NFS mounts, each for itself: /proc/1/mountstats, and where the server is from /proc/1/mountinfo.

Linux, fs/nfs/super.c (nfs_show_stats) and net/sunrpc/xprtsock.c; times of operations are in milliseconds.
Where process 1 hides its mounts, those of the service count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

PROCESSES = ("proc/1", "proc/self")


def counter(name: str, unit: str = "") -> Metric:
    text = name.removesuffix("_total").replace("_", " ")
    return Metric(f"node_mountstats_nfs_{name}", Kind.COUNTER, f"{text.capitalize()} of an NFS mount.", unit)


AGE = counter("age_seconds_total", "seconds")
INFO = Metric("node_mountstats_nfs_mountpoint_info", Kind.GAUGE, "Always 1; where an NFS mount is.")
BYTES: list[Metric | None] = [
    *(counter(f"{name}_bytes_total", "bytes") for name in ("read", "write", "direct_read", "direct_write")),
    *(counter(f"total_{name}_bytes_total", "bytes") for name in ("read", "write")),
    *(counter(f"{name}_pages_total") for name in ("read", "write")),
]
EVENT_NAMES = (
    "inode_revalidate dnode_revalidate data_invalidate attribute_invalidate vfs_open vfs_lookup "
    "vfs_access vfs_update_page vfs_read_page vfs_read_pages vfs_write_page vfs_write_pages vfs_getdents "
    "vfs_setattr vfs_flush vfs_fsync vfs_lock vfs_file_release - truncation write_extension silly_rename "
    "short_read short_write jukebox_delay pnfs_read pnfs_write"
)
"""In the order of the line; `-` is one that the kernel does not count."""
EVENTS: list[Metric | None] = [
    None if name == "-" else counter(f"event_{name}_total") for name in EVENT_NAMES.split()
]
OPERATIONS = [
    *((counter(f"operations_{name}_total"), 1) for name in ("requests", "transmissions", "major_timeouts")),
    *((counter(f"operations_{name}_bytes_total", "bytes"), 1) for name in ("sent", "received")),
    *(
        (counter(f"operations_{name}_time_seconds_total", "seconds"), 1000)
        for name in ("queue", "response", "request")
    ),
    (counter("operations_errors_total"), 1),
]
IDLE = Metric(
    "node_mountstats_nfs_transport_idle_time_seconds", Kind.GAUGE, "Time without traffic.", "seconds"
)
SLOTS = Metric(
    "node_mountstats_nfs_transport_maximum_rpc_slots", Kind.GAUGE, "Most calls ever under way at once."
)
BIND, CONNECT, SENDS, RECEIVES, BAD, BACKLOG, SENDING, PENDING = (
    counter(f"transport_{name}_total")
    for name in (
        *("bind", "connect", "sends", "receives", "bad_transaction_ids", "backlog_queue", "sending_queue"),
        "pending_queue",
    )
)
LIKE_TCP = {BIND: 2, CONNECT: 3, IDLE: 5, SENDS: 6, RECEIVES: 7, BAD: 8, BACKLOG: 10}
TRANSPORTS: dict[str, dict[Metric, int]] = {
    "tcp": {**LIKE_TCP, SLOTS: 11, SENDING: 12, PENDING: 13},
    "udp": {BIND: 2, SENDS: 3, RECEIVES: 4, BAD: 5, BACKLOG: 7, SLOTS: 8, SENDING: 9, PENDING: 10},
    "rdma": LIKE_TCP,
}
"""Which word of an `xprt:` line each number is, the protocol being word 0."""
CONNECTED = (CONNECT, IDLE)
"""What UDP has not, and node_exporter says 0 for."""


@dataclass
class Mount:
    export: str
    point: str
    age: float = 0.0
    events: Sequence[str] = ()
    amounts: Sequence[str] = ()
    transports: list[list[str]] = field(default_factory=list)
    operations: dict[str, list[str]] = field(default_factory=dict)


class Mountstats(Devices):
    wanted = tuple((process, ("mountstats", "mountinfo")) for process in PROCESSES)

    def samples(self, tree: Tree) -> Samples:
        own = next((path for path in PROCESSES if f"{path}/mountstats" in tree.texts), PROCESSES[0])
        for path in PROCESSES:
            if path != own:
                tree.faults.pop(f"{path}/mountstats", None)
                tree.faults.pop(f"{path}/mountinfo", None)
        addresses = servers(tree.text(f"{own}/mountinfo"))
        seen: set[tuple[str, ...]] = set()
        for mount in mounts(tree.text(f"{own}/mountstats")):
            labels = {
                "export": mount.export,
                "protocol": mount.transports[0][0] if mount.transports else "",
                "mountaddr": addresses.get(mount.point, ""),
            }
            if (point := (*labels.values(), mount.point)) not in seen:
                seen.add(point)
                yield INFO.at(**labels, mountpoint=mount.point), 1.0
            if (server := tuple(labels.values())) not in seen:
                seen.add(server)
                yield from samples(mount, labels)


def samples(mount: Mount, labels: dict[str, str]) -> Samples:
    """The series of a mount; those of one server's same export are counted together by the kernel."""
    yield AGE.at(**labels), mount.age
    for metrics, words in ((BYTES, mount.amounts), (EVENTS, mount.events)):
        for metric, word in zip(metrics, words, strict=False):
            if metric:
                yield metric.at(**labels), float(word)
    for index, words in enumerate(mount.transports):
        for metric, place in TRANSPORTS.get(words[0], {}).items():
            if place < len(words):
                yield metric.at(**labels, transport=str(index)), float(words[place])
        if words[0] == "udp":
            yield from ((metric.at(**labels, transport=str(index)), 0.0) for metric in CONNECTED)
    for operation, words in mount.operations.items():
        for (metric, per), word in zip(OPERATIONS, words, strict=False):
            yield metric.at(**labels, operation=operation), float(word) / per


def mounts(text: str) -> Iterator[Mount]:
    """The NFS mounts of the table."""
    mount: Mount | None = None
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["device"] and len(words) >= 8:
            if mount:
                yield mount
            mount = Mount(words[1], words[4]) if words[7] in ("nfs", "nfs4") else None
        elif mount and words:
            note(mount, words)
    if mount:
        yield mount


def note(mount: Mount, words: list[str]) -> None:
    """Add what one line tells of a mount."""
    match words:
        case ["age:", age]:
            mount.age = float(age)
        case ["events:", *events]:
            mount.events = events
        case ["bytes:", *amounts]:
            mount.amounts = amounts
        case ["xprt:", *transport] if transport:
            mount.transports.append(transport)
        case [name, *numbers] if numbers and name.endswith(":") and name[:-1].replace("_", "").isupper():
            mount.operations[name.removesuffix(":")] = numbers


def servers(text: str) -> dict[str, str]:
    """Address of the server by mount point, from the super block's options (proc(5), /proc/pid/mountinfo)."""
    found = {}
    for line in text.splitlines():
        mount, _, rest = line.partition(" - ")
        options = dict(option.partition("=")[::2] for option in rest.split(" ")[-1].split(","))
        words = mount.split()
        if "addr" in options and len(words) > 4:
            found[words[4]] = options["addr"]
    return found
