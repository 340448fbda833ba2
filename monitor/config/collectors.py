"""The switch of each collector, in the order of the alphabet.

One without options is a `Switch`, or an `Off` where node_exporter has it off by default, and the text under
it says what it collects; those with options are in options.py.
"""

from .options import (
    Cpu,
    Diskstats,
    Ethtool,
    Filesystem,
    Netclass,
    Netdev,
    Netstat,
    Powersupplyclass,
    ProcessGroups,
    Systemd,
    Tapestats,
    Textfile,
    Vmstat,
)
from .section import Off, Section, Switch


class Collectors(Section):
    """What is collected.  `false` for a collector turns it off and `true` on; the metrics have
    node_exporter's names."""

    bonding: Switch = Switch()
    """Bonded network devices and their slaves."""
    btrfs: Switch = Switch()
    """Btrfs file systems."""
    cpu: Cpu = Cpu()
    diskstats: Diskstats = Diskstats()
    dmi: Switch = Switch()
    """What the firmware says of the machine."""
    edac: Switch = Switch()
    """Errors of the memory."""
    ethtool: Ethtool = Ethtool()
    fibrechannel: Switch = Switch()
    """Ports of Fibre Channel."""
    filesystem: Filesystem = Filesystem()
    hwmon: Switch = Switch()
    """Sensors: temperatures, fans, voltages, powers, disks' temperatures among them."""
    infiniband: Switch = Switch()
    """Ports of InfiniBand and RDMA."""
    ipvs: Switch = Switch()
    """The kernel's load balancer."""
    loadavg: Switch = Switch()
    """Load averages."""
    mdadm: Switch = Switch()
    """Arrays of disks (md)."""
    meminfo: Switch = Switch()
    """Memory and swap."""
    mountstats: Off = Off()
    """NFS mounts, each for itself."""
    netclass: Netclass = Netclass()
    netdev: Netdev = Netdev()
    netstat: Netstat = Netstat()
    nfs: Switch = Switch()
    """What this host asks of NFS servers."""
    nfsd: Switch = Switch()
    """What NFS clients ask of this host."""
    nvme: Switch = Switch()
    """NVMe controllers."""
    powersupplyclass: Powersupplyclass = Powersupplyclass()
    pressure: Switch = Switch()
    """Time lost waiting for CPU, I/O or memory (PSI)."""
    process_groups: ProcessGroups = ProcessGroups()
    rapl: Switch = Switch()
    """Energy that processors and memory took; root alone may read it."""
    sockstat: Switch = Switch()
    """Sockets in use."""
    stat: Switch = Switch()
    """Context switches, forks, interrupts, boot time, soft interrupts, processes running and blocked."""
    systemd: Systemd = Systemd()
    tapestats: Tapestats = Tapestats()
    textfile: Textfile = Textfile()
    time: Switch = Switch()
    """The system's clock and time zone."""
    uname: Switch = Switch()
    """Name and version of the system."""
    vmstat: Vmstat = Vmstat()
    zfs: Switch = Switch()
    """ZFS: cache, pools and data sets."""
