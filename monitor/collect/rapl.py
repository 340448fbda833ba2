"""Energy that processors and memory took: /sys/class/powercap, in microjoules.

Linux, Documentation/power/powercap/powercap.rst.  Root alone may read the energy (CVE-2020-8694).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/powercap/*"
INVALID = re.compile(r"_*[^0-9A-Za-z_]+_*")


class Rapl(Devices):
    wanted = ((FOLDER, ("name", "energy_uj")),)

    def samples(self, tree: Tree) -> Samples:
        counted: Counter[str] = Counter()
        for _, path in tree.each(FOLDER):
            name, index = zone(tree.text(f"{path}/name"), counted)
            if name and (value := tree.number(f"{path}/energy_uj")) is not None:
                yield metric(name).at(index=index, path=f"/{path}"), value / 1e6


def zone(name: str, counted: Counter[str]) -> tuple[str, str]:
    """Name and index of a zone: those of `package-0`; others are counted by name."""
    head, dash, number = name.partition("-")
    if dash and number.isdecimal():
        return head, str(int(number))
    counted[name] += 1
    return name, str(counted[name] - 1)


@cache
def metric(name: str) -> Metric:
    """The metric of a zone's name."""
    field = INVALID.sub("_", f"{name}_joules_total")
    return Metric(f"node_rapl_{field}", Kind.COUNTER, f"Energy that a zone {name} took.", "joules")
