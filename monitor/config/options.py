"""Settings of single collectors, beside the switch.

The patterns are node_exporter's own defaults, so that the series are the same.
"""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from .problems import expected
from .section import Folder, Form, Off, Pattern, Switch, Takes
from .units import Between, Duration

NAME = r"[a-zA-Z0-9_-]+([./][a-zA-Z0-9_-]+)*"


def read_name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise expected("the name of a setting of the kernel, such as kernel.hostname")
    return text


def read_names(text: str) -> str:
    if not re.fullmatch(NAME + r"(:\w+(,\w+)*)?", text):
        raise expected(
            "the name of a setting of the kernel, such as kernel.pid_max or fs.file-nr:used,free,limit"
        )
    return text


def read_socket(text: object) -> object:
    path = Path(text) if isinstance(text, str) else text
    if not isinstance(path, Path) or not path.is_absolute():
        raise expected("the absolute path of a socket, such as /run/docker.sock")
    return path


def read_target(text: str) -> str:
    """A target that can be asked; it is a label of series, so it holds no password."""
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        found, port = urlsplit(""), None
    named = found.hostname and "@" not in found.netloc and not re.search(r"[\s\x00-\x1f]", text)
    if found.scheme in ("tcp", "tls"):
        good = bool(port) and not found.path
    else:
        good = found.scheme in ("http", "https") or (found.scheme == "icmp" and not found.path and not port)
    if not named or not good or found.fragment:
        raise expected(
            "a target such as icmp://192.0.2.1, tcp://host:5432 or https://host/path, without a password"
        )
    return text


Target = Annotated[str, AfterValidator(read_target)]
Socket = Annotated[Path, BeforeValidator(read_socket)]
Name = Annotated[str, AfterValidator(read_name)]
Names = Annotated[str, AfterValidator(read_names)]


class Containers(Switch):
    """Containers and systemd units: what they use, and what holds them back."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks; between them the last values stand."""
    groups: Annotated[int, Between(1, 1000), Takes.RELOAD] = 60
    """How many are measured, containers first; the others are counted."""
    sockets: Annotated[tuple[Socket, ...], Strict(False), Form("list of absolute paths"), Takes.RELOAD] = (
        Path("/run/docker.sock"),
        Path("/run/podman/podman.sock"),
    )
    """Where Docker and Podman tell names and images, below `rootfs`; asked where there are containers."""
    timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 2
    """How long they may take to answer before they are given up."""


class Cpu(Switch):
    """CPU time by core and mode, and what the cores are: model, online, isolated, slowed down."""

    flags_include: Annotated[Pattern, Takes.RELOAD] = ""
    """Features of the CPU to tell (`node_cpu_flag_info`); empty tells none."""
    bugs_include: Annotated[Pattern, Takes.RELOAD] = ""
    """Bugs of the CPU to tell (`node_cpu_bug_info`); empty tells none."""


class Diskstats(Switch):
    """Reads, writes and busy time of block devices."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$"
    """Block devices to leave out; empty leaves out none."""


class Ethtool(Off):
    """What network drivers count."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = ""
    """Network interfaces to leave out; empty leaves out none."""
    metrics_include: Annotated[Pattern, Takes.RELOAD] = ".*"
    """Numbers of the drivers to keep, by the drivers' names for them."""


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


class Journal(Switch):
    """Messages in systemd's journal by unit and priority; failures and restarts of units are events."""

    units: Annotated[int, Between(1, 1000), Takes.RELOAD] = 60
    """How many units are told apart, those that log first; the others are one."""


class Netclass(Switch):
    """Network interfaces as they are set up: state, speed, addresses, changes of the link."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = ""
    """Network interfaces to leave out; empty leaves out none."""


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


class NetworkRoute(Off):
    """Routes by network device."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 10
    """Time between two looks; between them the last values stand."""


class Nvidia(Switch):
    """NVIDIA's GPUs, where there is a driver and the package `monitor[nvidia]` is installed."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 1
    """Time between two looks; between them the last values stand."""
    slow_every: Annotated[Duration, Between("1s", "1h"), Takes.RELOAD] = 30
    """Time between two looks at what the driver takes long to tell: energy, traffic of the bus, errors."""
    timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 10
    """How long the driver may take to answer before it is given up."""


class Powersupplyclass(Switch):
    """Batteries and mains."""

    supplies_exclude: Annotated[Pattern, Takes.RELOAD] = ""
    """Power supplies to leave out; empty leaves out none."""


class Probes(Switch):
    """Targets of the network that are asked whether they answer; none unless they are named here."""

    every: Annotated[Duration, Between("1s", "1h"), Takes.RELOAD] = 15
    """Time between two looks; between them the last values stand."""
    timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 5
    """How long a target may take to answer before it counts as failed."""
    targets: Annotated[
        tuple[Target, ...],
        Strict(False),
        Form("list of targets"),
        Field(max_length=100),
        Takes.RELOAD,
    ] = ()
    """At most 100 of `icmp://HOST`, `tcp://HOST:PORT`, `tls://HOST:PORT`, `http://HOST/PATH` and
    `https://HOST/PATH`."""


class ProcessGroups(Switch):
    """Processes in groups by name and unit, their live table, and the history of those at the top."""

    interval: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks at all processes; while somebody watches the table, every pass looks at them."""
    budget: Annotated[Duration, Between("1ms", "1s"), Takes.RELOAD] = 0.01
    """CPU time that looking may take in a second, on average; what takes more is done less often."""
    groups: Annotated[int, Between(1, 1000), Takes.RELOAD] = 40
    """How many groups have a name; what belongs to none of them is the group `other`."""
    history: Annotated[Duration, Between("5s", "1m"), Takes.RELOAD] = 10
    """Time between two samples of the processes at the top, from which the table of a past moment is made."""
    top: Annotated[int, Between(0, 100), Takes.RELOAD] = 10
    """How many are kept by CPU, by memory and by bytes to and from storage; 0 keeps none."""


class Processes(Off):
    """Processes and threads by state."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks; between them the last values stand."""


class Qdisc(Off):
    """What the queues of network devices sent, dropped and hold."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks; between them the last values stand."""


class Sysctl(Off):
    """Chosen settings of the kernel."""

    include: Annotated[tuple[Names, ...], Strict(False), Form("list of names"), Takes.RELOAD] = ()
    """Settings with numbers, such as kernel.pid_max, or with a name for each of several numbers:
    `fs.file-nr:allocated,free,limit`."""
    include_info: Annotated[tuple[Name, ...], Strict(False), Form("list of names"), Takes.RELOAD] = ()
    """Settings with text, such as kernel.hostname; the text is a label."""


class Systemd(Off):
    """Units of systemd and their states, asked over D-Bus."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 15
    """Time between two looks; between them the last values stand."""
    timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 5
    """How long systemd may take to answer before it is given up."""
    units_include: Annotated[Pattern, Takes.RELOAD] = ".+"
    """Whole names of units to keep."""
    units_exclude: Annotated[Pattern, Takes.RELOAD] = r".+\.(automount|device|mount|scope|slice)"
    """Whole names of units to leave out; empty leaves out none."""
    restarts: Annotated[bool, Takes.RELOAD] = False
    """Whether to ask how often services were restarted."""
    tasks: Annotated[bool, Takes.RELOAD] = False
    """Whether to ask for the tasks of services."""
    start_times: Annotated[bool, Takes.RELOAD] = False
    """Whether to ask when units became active."""


class Tapestats(Switch):
    """Work of the tape drives."""

    devices_exclude: Annotated[Pattern, Takes.RELOAD] = ""
    """Tape drives to leave out; empty leaves out none."""


class Tcpstat(Off):
    """TCP connections by state, and bytes in their queues."""

    every: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 5
    """Time between two looks; between them the last values stand."""


class Textfile(Switch):
    """Metrics that scripts left in files."""

    directory: Annotated[Folder, Takes.RELOAD] = Path("/var/lib/prometheus/node-exporter")
    """Where the files `*.prom` are, below `rootfs`; it may have wildcards.  A host without it has none."""


class Vmstat(Switch):
    """Paging and memory pressure of the kernel."""

    fields: Annotated[Pattern, Takes.RELOAD] = r"^(oom_kill|pgpg|pswp|pg.*fault).*"
    """Fields of vmstat to keep."""
