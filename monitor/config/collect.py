"""Settings of what is collected on this host.

The patterns are node_exporter's own defaults, so that the series are the same.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from .problems import expected
from .section import Folder, Pattern, Section, Switch, Takes
from .units import Between, Duration


class Vmstat(Switch):
    """Paging and memory pressure of the kernel."""

    fields: Annotated[Pattern, Takes.RELOAD] = r"^(oom_kill|pgpg|pswp|pg.*fault).*"
    """Fields of vmstat to keep."""


class Diskstats(Switch):
    """Reads, writes and busy time of block devices."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"
    """Block devices to leave out; empty leaves out none."""


class Filesystem(Switch):
    """Size and free space of mounted file systems."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks; between them the last values stand."""
    timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 5
    """How long one file system may take to answer before it is marked as not answering."""
    mount_points_exclude: Annotated[Pattern, Takes.RELOAD] = (
        r"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
    )
    """Mount points to leave out; empty leaves out none."""
    fs_types_exclude: Annotated[Pattern, Takes.RELOAD] = (
        r"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs"
        r"|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
    )
    """Types of file system to leave out; empty leaves out none."""


class Netdev(Switch):
    """Traffic of network interfaces."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = ""
    """Network interfaces to leave out; empty leaves out none."""


class Netstat(Switch):
    """Counters of the network protocols."""

    fields: Annotated[Pattern, Takes.RELOAD] = (
        r"^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
        r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
        r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
        r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$"
    )
    """Fields of netstat to keep (`Protocol_Field`)."""


class Cpu(Switch):
    """CPU time by core and mode."""


class Meminfo(Switch):
    """Memory and swap."""


class Loadavg(Switch):
    """Load averages."""


class Stat(Switch):
    """Context switches, forks, interrupts, boot time, processes running and blocked."""


class Pressure(Switch):
    """Time lost waiting for CPU, I/O or memory (PSI)."""


class Sockstat(Switch):
    """Sockets in use."""


class Uname(Switch):
    """Name and version of the system."""


class Time(Switch):
    """The system's clock and time zone."""


class Collectors(Section):
    """What is collected.  `false` for a collector turns it off; its metrics have node_exporter's names."""

    cpu: Cpu = Cpu()
    meminfo: Meminfo = Meminfo()
    loadavg: Loadavg = Loadavg()
    stat: Stat = Stat()
    vmstat: Vmstat = Vmstat()
    pressure: Pressure = Pressure()
    diskstats: Diskstats = Diskstats()
    filesystem: Filesystem = Filesystem()
    netdev: Netdev = Netdev()
    netstat: Netstat = Netstat()
    sockstat: Sockstat = Sockstat()
    uname: Uname = Uname()
    time: Time = Time()


def check_interval(seconds: float) -> float:
    milliseconds = round(seconds * 1000)
    if 60_000 % milliseconds and (milliseconds % 60_000 or 3_600_000 % milliseconds):
        raise expected(
            "a divisor of a minute, such as 500ms, 1s or 15s, or whole minutes that divide an hour"
        )
    return seconds


def read_job(text: str) -> str:
    if text == "monitor":
        raise expected("another name than monitor, which the service's own series bear")
    return text


class Collect(Section):
    """This host: how often it is looked at, and where."""

    interval: Annotated[Duration, Between("100ms", "1h"), AfterValidator(check_interval), Takes.RESTART] = 1
    """Time between two passes, and the step of live charts: a divisor of one minute, or whole minutes
    that divide an hour, so that passes fall on the same instants of every minute or hour and the points
    of all hosts line up."""
    instance: Annotated[str, Takes.RESTART] = ""
    """The value of the label `instance` of this host's series; empty takes the host's name."""
    job: Annotated[str, AfterValidator(read_job), Takes.RESTART] = "node"
    """The value of the label `job` of this host's series."""
    procfs: Annotated[Folder, Takes.RESTART] = Path("/proc")
    """Where the proc file system is mounted."""
    sysfs: Annotated[Folder, Takes.RESTART] = Path("/sys")
    """Where the sys file system is mounted."""
    rootfs: Annotated[Folder, Takes.RESTART] = Path("/")
    """Where the host's root is mounted; another than `/` in a container that sees the host's file systems
    below it."""
    collectors: Collectors = Collectors()
