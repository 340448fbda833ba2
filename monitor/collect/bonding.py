"""Bonded network devices: /sys/class/net/bonding_masters, and what each slave's link says.

Linux, Documentation/networking/bonding.rst.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

SLAVES = Metric("node_bonding_slaves", Kind.GAUGE, "Slaves configured for a bonding device.")
ACTIVE = Metric("node_bonding_active", Kind.GAUGE, "Slaves of a bonding device whose link is up.")
NET = "sys/class/net"
PREFIXES = ("lower_", "slave_")
"""Before a slave's name; the second on kernels before Linux 3.9."""


class Bonding(Devices):
    wanted = (
        (NET, ("bonding_masters",)),
        (f"{NET}/*/bonding", ("slaves",)),
        *((f"{NET}/*/{prefix}*/bonding_slave", ("mii_status",)) for prefix in PREFIXES),
    )

    def samples(self, tree: Tree) -> Samples:
        for master in tree.text(f"{NET}/bonding_masters").split():
            slaves = tree.text(f"{NET}/{master}/bonding/slaves").split()
            yield SLAVES.at(master=master), float(len(slaves))
            yield ACTIVE.at(master=master), float(sum(up(tree, master, slave) for slave in slaves))


def up(tree: Tree, master: str, slave: str) -> bool:
    """Whether a slave's link is up."""
    paths = [f"{NET}/{master}/{prefix}{slave}/bonding_slave/mii_status" for prefix in PREFIXES]
    return any(tree.text(path) == "up" for path in paths)
