"""Open files of the whole host: /proc/sys/fs/file-nr.

proc(5): files in use, files free (always 0), and the limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

FILES = Layout(
    [
        Metric("node_filefd_allocated", Kind.GAUGE, "Files open on the host.").at(),
        Metric("node_filefd_maximum", Kind.GAUGE, "Files that may be open.").at(),
    ]
)


class Filefd:
    def collect(self, host: Host) -> Iterator[Block]:
        words = host.proc("sys/fs/file-nr").split()
        if len(words) != 3:
            raise ValueError(f"file-nr: three numbers expected, found {words}")
        yield Block(FILES, [float(words[0]), float(words[2])])
