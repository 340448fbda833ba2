"""Samples measured on this host: one file for each source, named as node_exporter names it.

A collector is a class whose arguments are its options, and this list is all there are.
"""

from __future__ import annotations

from importlib import import_module

from monitor.collect.host import Host
from monitor.collect.loop import Background, CollectLoop, Collector

__all__ = ["COLLECTORS", "Background", "CollectLoop", "Collector", "Host"]


class Named:
    """A class of a file in this room, whose file is read when it is first called: one that is switched off
    costs nothing."""

    def __init__(self, file: str, name: str) -> None:
        self.file = file
        self.name = name

    def __call__(self, **options: object) -> Collector | Background:
        """The collector with these options, each of which has a default."""
        made: Collector | Background = self.kind(**options)
        return made

    @property
    def kind(self) -> type:
        """The class."""
        found: type = getattr(import_module(f"{__name__}.{self.file}"), self.name)
        return found


CLASSES = {
    "bonding": "Bonding",
    "btrfs": "Btrfs",
    "cpu": "Cpu",
    "diskstats": "Diskstats",
    "dmi": "Dmi",
    "edac": "Edac",
    "ethtool": "Ethtool",
    "fibrechannel": "Fibrechannel",
    "filesystem": "Filesystem",
    "hwmon": "Hwmon",
    "infiniband": "Infiniband",
    "ipvs": "Ipvs",
    "loadavg": "Loadavg",
    "mdadm": "Mdadm",
    "meminfo": "Meminfo",
    "mountstats": "Mountstats",
    "netclass": "Netclass",
    "netdev": "Netdev",
    "netstat": "Netstat",
    "nfs": "Nfs",
    "nfsd": "Nfsd",
    "nvme": "Nvme",
    "powersupplyclass": "Powersupplyclass",
    "pressure": "Pressure",
    "process_groups": "ProcessGroups",
    "rapl": "Rapl",
    "sockstat": "Sockstat",
    "stat": "Stat",
    "systemd": "Systemd",
    "tapestats": "Tapestats",
    "textfile": "Textfile",
    "time": "Time",
    "uname": "Uname",
    "vmstat": "Vmstat",
    "zfs": "Zfs",
}
"""The class of each file."""
COLLECTORS = {file: Named(file, name) for file, name in CLASSES.items()}
"""By name."""
