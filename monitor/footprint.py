"""How much memory the viewers may take together, and how much there is (cgroups(7), proc(5)).

    viewers x (BASE + SPARE + 4 max_message + 2 send_buffer + 2 RECEIVE_BUFFER) + backlog

BASE is what an idle viewer takes, and TLS comes to that where it is spoken; SPARE bytes of frames may wait
for each, and beyond that all share the backlog (monitor/stream/backlog.py); a message that comes in pieces
and its inflated form take max_message each, requests that wait twice that; the kernel doubles what it is
asked for as socket buffers (socket(7)).  What is shared by all (feeds, the frame of a tick, the head) does
not grow with the viewers and is not in it; nor is the one largest answer by which the backlog may overshoot,
which `server.query` bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.config import Settings

BASE = 24 << 10
"""Bytes: objects and small buffers of an idle viewer, with a margin (14 to 16 KiB measured)."""
TLS = 24 << 10
"""Bytes: what TLS keeps for a connection, with a margin (17 KiB measured)."""
SPARE = 32 << 10
"""Bytes of frames that may wait for any one viewer beside the backlog: a tick, mostly."""
RECEIVE_BUFFER = 16 << 10
"""SO_RCVBUF of a live connection: viewers send acknowledgements."""

UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
CGROUP = {2: ("", "memory.max"), 1: ("memory", "memory.limit_in_bytes")}
"""Folder below /sys/fs/cgroup and file of the limit, by version."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Sizes in bytes."""

    viewers: int
    max_message: int
    send_buffer: int
    backlog: int
    tls: bool = False

    @property
    def process(self) -> int:
        """Of one viewer, in the memory of the process."""
        return BASE + SPARE + 4 * self.max_message + (TLS if self.tls else 0)

    @property
    def kernel(self) -> int:
        """Of one viewer, in the kernel's socket buffers."""
        return 2 * self.send_buffer + 2 * RECEIVE_BUFFER

    @property
    def total(self) -> int:
        return self.viewers * (self.process + self.kernel) + self.backlog

    def __str__(self) -> str:
        each = size(self.process + self.kernel)
        return f"at most {self.viewers} viewers x {each} + {size(self.backlog)} = {size(self.total)}"


def footprint(settings: Settings) -> Footprint:
    websocket, tls = settings.server.websocket, bool(settings.server.tls.certificate)
    return Footprint(
        websocket.max_clients, websocket.max_message, websocket.send_buffer, websocket.backlog, tls
    )


@dataclass(frozen=True, slots=True)
class Limit:
    bytes: int
    source: str
    """The file that says so."""

    def __str__(self) -> str:
        return f"{size(self.bytes)} ({self.source})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a footprint means under a limit."""

    text: str
    fits: bool
    """False when it exceeds the limit itself."""
    roomy: bool
    """False when it exceeds half of the limit: the other half is for everything else."""


def judge(footprint: Footprint, limit: Limit) -> Judgement:
    text = f"memory of the viewers: {footprint}; the limit is {limit}"
    fits, roomy = footprint.total <= limit.bytes, 2 * footprint.total <= limit.bytes
    if not roomy:
        share = "half of the limit" if fits else "the limit"
        text += (
            f"; this exceeds {share}: lower server.websocket.max_clients (or max_message, send_buffer, "
            "backlog there), or raise the limit"
        )
    return Judgement(text, fits, roomy)


def memory_limit(root: Path = Path("/")) -> Limit:
    """The smallest of the limits of this process's control groups, and the memory of the machine."""
    return min((_machine(root), *_groups(root)), key=lambda limit: limit.bytes)


def _machine(root: Path) -> Limit:
    path = root / "proc/meminfo"
    total = path.read_text().partition("MemTotal:")[2].split()[0]
    return Limit(int(total) << 10, f"MemTotal in /{path.relative_to(root)}")


def _groups(root: Path) -> list[Limit]:
    """Limits of the groups of this process and of those above them, as far as they can be seen."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except FileNotFoundError:
        return []
    found: list[Limit] = []
    for line in lines:
        number, controllers, place = line.split(":", 2)
        if number == "0" or "memory" in controllers.split(","):
            folder, name = CGROUP[2 if number == "0" else 1]
            found += _limits(root, root / "sys/fs/cgroup" / folder, place.strip("/"), name)
    return found


def _limits(root: Path, mount: Path, place: str, name: str) -> list[Limit]:
    group = mount / place
    paths = [each / name for each in (group, *group.parents) if each.is_relative_to(mount)]
    texts = {path: path.read_text().strip() for path in paths if path.is_file()}
    return [Limit(int(text), f"/{path.relative_to(root)}") for path, text in texts.items() if text != "max"]


def size(count: int) -> str:
    """Short, for people: `376 KiB`."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} B"
