"""Samples measured on this host: one file for each source, named as node_exporter names it.

A collector is a class whose arguments are its options, and this list is all there are.
"""

from __future__ import annotations

from importlib import import_module

from monitor.collect.collector import Background, Collector
from monitor.collect.host import Host
from monitor.collect.loop import CollectLoop

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
    "arp": "Arp",
    "bonding": "Bonding",
    "btrfs": "Btrfs",
    "buddyinfo": "Buddyinfo",
    "cgroups": "Cgroups",
    "conntrack": "Conntrack",
    "containers": "Containers",
    "cpu": "Cpu",
    "cpufreq": "Cpufreq",
    "diskstats": "Diskstats",
    "dmi": "Dmi",
    "drm": "Drm",
    "edac": "Edac",
    "entropy": "Entropy",
    "ethtool": "Ethtool",
    "fibrechannel": "Fibrechannel",
    "filefd": "Filefd",
    "filesystem": "Filesystem",
    "hwmon": "Hwmon",
    "infiniband": "Infiniband",
    "interrupts": "Interrupts",
    "ipvs": "Ipvs",
    "journal": "Journal",
    "kmsg": "Kmsg",
    "ksmd": "Ksmd",
    "loadavg": "Loadavg",
    "mdadm": "Mdadm",
    "meminfo": "Meminfo",
    "meminfo_numa": "MeminfoNuma",
    "mountstats": "Mountstats",
    "netclass": "Netclass",
    "netdev": "Netdev",
    "netstat": "Netstat",
    "network_route": "NetworkRoute",
    "nfs": "Nfs",
    "nfsd": "Nfsd",
    "nvidia": "Nvidia",
    "nvme": "Nvme",
    "os": "Os",
    "powersupplyclass": "Powersupplyclass",
    "pressure": "Pressure",
    "probes": "Probes",
    "process_groups": "ProcessGroups",
    "processes": "Processes",
    "qdisc": "Qdisc",
    "rapl": "Rapl",
    "schedstat": "Schedstat",
    "selinux": "Selinux",
    "slabinfo": "Slabinfo",
    "sockstat": "Sockstat",
    "softirqs": "Softirqs",
    "softnet": "Softnet",
    "stat": "Stat",
    "sysctl": "Sysctl",
    "systemd": "Systemd",
    "tapestats": "Tapestats",
    "tcpstat": "Tcpstat",
    "textfile": "Textfile",
    "thermal_zone": "ThermalZone",
    "time": "Time",
    "timex": "Timex",
    "udp_queues": "UdpQueues",
    "uname": "Uname",
    "vmstat": "Vmstat",
    "watchdog": "Watchdog",
    "xfs": "Xfs",
    "zfs": "Zfs",
    "zoneinfo": "Zoneinfo",
}
"""The class of each file."""
COLLECTORS = {file: Named(file, name) for file, name in CLASSES.items()}
"""By name."""
