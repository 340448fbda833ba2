"""Samples measured on this host: one file for each source, named as node_exporter names it.

A collector is a class whose arguments are its options, and this list is all there are.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.collect.cpu import Cpu
from monitor.collect.diskstats import Diskstats
from monitor.collect.filesystem import Filesystem
from monitor.collect.host import Host
from monitor.collect.loadavg import Loadavg
from monitor.collect.loop import Background, CollectLoop, Collector
from monitor.collect.meminfo import Meminfo
from monitor.collect.netdev import Netdev
from monitor.collect.netstat import Netstat
from monitor.collect.pressure import Pressure
from monitor.collect.sockstat import Sockstat
from monitor.collect.stat import Stat
from monitor.collect.time import Time
from monitor.collect.uname import Uname
from monitor.collect.vmstat import Vmstat

__all__ = ["COLLECTORS", "Background", "CollectLoop", "Collector", "Host"]

COLLECTORS: dict[str, Callable[..., Collector | Background]] = {
    "cpu": Cpu,
    "diskstats": Diskstats,
    "filesystem": Filesystem,
    "loadavg": Loadavg,
    "meminfo": Meminfo,
    "netdev": Netdev,
    "netstat": Netstat,
    "pressure": Pressure,
    "sockstat": Sockstat,
    "stat": Stat,
    "time": Time,
    "uname": Uname,
    "vmstat": Vmstat,
}
"""By name; called with its options, each of which has a default."""
