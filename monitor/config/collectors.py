"""The switch of each collector, in the order of the alphabet.

One without options is a `Switch`, or an `Off` where node_exporter has it off by default, and the text under
it says what it collects; those with options are in options.py.
"""

from .options import Cpu, Diskstats, Filesystem, Netdev, Netstat, Vmstat
from .section import Section, Switch


class Collectors(Section):
    """What is collected.  `false` for a collector turns it off and `true` on; the metrics have
    node_exporter's names."""

    cpu: Cpu = Cpu()
    diskstats: Diskstats = Diskstats()
    filesystem: Filesystem = Filesystem()
    loadavg: Switch = Switch()
    """Load averages."""
    meminfo: Switch = Switch()
    """Memory and swap."""
    netdev: Netdev = Netdev()
    netstat: Netstat = Netstat()
    pressure: Switch = Switch()
    """Time lost waiting for CPU, I/O or memory (PSI)."""
    sockstat: Switch = Switch()
    """Sockets in use."""
    stat: Switch = Switch()
    """Context switches, forks, interrupts, boot time, soft interrupts, processes running and blocked."""
    time: Switch = Switch()
    """The system's clock and time zone."""
    uname: Switch = Switch()
    """Name and version of the system."""
    vmstat: Vmstat = Vmstat()
