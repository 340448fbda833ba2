"""The switch of each collector, in the order of the alphabet.

One without options is a `Switch`, or an `Off` where node_exporter has it off by default, and the text under
it says what it collects; those with options are in options.py.
"""

from .options import (
    Containers,
    Cpu,
    Diskstats,
    Ethtool,
    Filesystem,
    Journal,
    Netclass,
    Netdev,
    Netstat,
    NetworkRoute,
    Nvidia,
    Powersupplyclass,
    Probes,
    Processes,
    ProcessGroups,
    Qdisc,
    Sysctl,
    Systemd,
    Tapestats,
    Tcpstat,
    Textfile,
    Vmstat,
)
from .section import Off, Section, Switch


class Collectors(Section):
    """What is collected.  `false` for a collector turns it off and `true` on; the metrics have
    node_exporter's names."""

    arp: Switch = Switch()
    """Neighbours in the ARP table."""
    bonding: Switch = Switch()
    """Bonded network devices and their slaves."""
    btrfs: Switch = Switch()
    """Btrfs file systems."""
    buddyinfo: Off = Off()
    """Free memory by the size of its blocks."""
    cgroups: Off = Off()
    """Controllers of control groups."""
    conntrack: Switch = Switch()
    """Connections that the packet filter follows."""
    containers: Containers = Containers()
    cpu: Cpu = Cpu()
    cpufreq: Switch = Switch()
    """Frequencies of the cores, their bounds and governors."""
    diskstats: Diskstats = Diskstats()
    dmi: Switch = Switch()
    """What the firmware says of the machine."""
    drm: Off = Off()
    """AMD's GPUs; one that sleeps is woken to answer."""
    edac: Switch = Switch()
    """Errors of the memory."""
    entropy: Switch = Switch()
    """Randomness that the kernel holds."""
    ethtool: Ethtool = Ethtool()
    fibrechannel: Switch = Switch()
    """Ports of Fibre Channel."""
    filefd: Switch = Switch()
    """Open files of the whole host."""
    filesystem: Filesystem = Filesystem()
    hwmon: Switch = Switch()
    """Sensors: temperatures, fans, voltages, powers, disks' temperatures among them."""
    infiniband: Switch = Switch()
    """Ports of InfiniBand and RDMA."""
    interrupts: Off = Off()
    """Interrupts by device and core."""
    ipvs: Switch = Switch()
    """The kernel's load balancer."""
    journal: Journal = Journal()
    kmsg: Switch = Switch()
    """Messages of the kernel, counted by priority; processes that it kills for memory are events."""
    ksmd: Off = Off()
    """Equal pages of memory that the kernel joins."""
    loadavg: Switch = Switch()
    """Load averages."""
    mdadm: Switch = Switch()
    """Arrays of disks (md)."""
    meminfo: Switch = Switch()
    """Memory and swap."""
    meminfo_numa: Off = Off()
    """Memory of each node of a host with several."""
    mountstats: Off = Off()
    """NFS mounts, each for itself."""
    netclass: Netclass = Netclass()
    netdev: Netdev = Netdev()
    netstat: Netstat = Netstat()
    network_route: NetworkRoute = NetworkRoute()
    nfs: Switch = Switch()
    """What this host asks of NFS servers."""
    nfsd: Switch = Switch()
    """What NFS clients ask of this host."""
    nvidia: Nvidia = Nvidia()
    nvme: Switch = Switch()
    """NVMe controllers."""
    os: Switch = Switch()
    """The distribution, and when its support ends."""
    powersupplyclass: Powersupplyclass = Powersupplyclass()
    pressure: Switch = Switch()
    """Time lost waiting for CPU, I/O or memory (PSI)."""
    probes: Probes = Probes()
    process_groups: ProcessGroups = ProcessGroups()
    processes: Processes = Processes()
    qdisc: Qdisc = Qdisc()
    rapl: Switch = Switch()
    """Energy that processors and memory took; root alone may read it."""
    schedstat: Switch = Switch()
    """Time that tasks ran on each core and waited for it."""
    selinux: Switch = Switch()
    """Whether SELinux watches, and how."""
    slabinfo: Off = Off()
    """The kernel's own memory by kind of object; only root may read it."""
    sockstat: Switch = Switch()
    """Sockets in use."""
    softirqs: Off = Off()
    """Soft interrupts by kind and core."""
    softnet: Switch = Switch()
    """Packets that each core took from its network devices."""
    stat: Switch = Switch()
    """Context switches, forks, interrupts, boot time, soft interrupts, processes running and blocked."""
    sysctl: Sysctl = Sysctl()
    systemd: Systemd = Systemd()
    tapestats: Tapestats = Tapestats()
    tcpstat: Tcpstat = Tcpstat()
    textfile: Textfile = Textfile()
    thermal_zone: Switch = Switch()
    """Temperatures, and what cools."""
    time: Switch = Switch()
    """The system's clock and time zone."""
    timex: Switch = Switch()
    """How well the clock is kept."""
    udp_queues: Switch = Switch()
    """Bytes that wait in the sockets of UDP."""
    uname: Switch = Switch()
    """Name and version of the system."""
    vmstat: Vmstat = Vmstat()
    watchdog: Switch = Switch()
    """Hardware that restarts a host which hangs."""
    xfs: Switch = Switch()
    """Work of the XFS file systems."""
    zfs: Switch = Switch()
    """ZFS: cache, pools and data sets."""
    zoneinfo: Off = Off()
    """Memory by node and zone."""
