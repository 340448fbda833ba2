"""What the system calls itself: uname(2), with the NIS domain from /proc/sys/kernel/domainname."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

INFO = Metric("node_uname_info", Kind.GAUGE, "Always 1; the labels are what uname(2) answers.")


class Uname:
    every = 10.0

    def __init__(self, uname: Callable[[], os.uname_result] = os.uname) -> None:
        self._uname = uname

    def collect(self, host: Host) -> Iterator[Block]:
        yield Block(layout(self._uname(), host.proc("sys/kernel/domainname").strip()), (1.0,))


@lru_cache(maxsize=4)
def layout(names: os.uname_result, domain: str) -> Layout:
    """The one series of these names."""
    return Layout(
        [
            INFO.at(
                sysname=names.sysname,
                nodename=names.nodename,
                release=names.release,
                version=names.version,
                machine=names.machine,
                domainname=domain,
            )
        ]
    )
