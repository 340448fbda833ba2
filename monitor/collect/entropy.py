"""Randomness that the kernel holds: /proc/sys/kernel/random (random(4)), in bits.

Since Linux 5.18 both are the same number for ever, so they are read now and then.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

FILES = {
    "entropy_avail": Metric("node_entropy_available_bits", Kind.GAUGE, "Bits of entropy there are.", "bits"),
    "poolsize": Metric("node_entropy_pool_size_bits", Kind.GAUGE, "Bits that the pool can hold.", "bits"),
}
POOL = Layout(metric.at() for metric in FILES.values())


class Entropy:
    every = 10.0

    def collect(self, host: Host) -> Iterator[Block]:
        yield Block(POOL, [float(host.proc(f"sys/kernel/random/{file}")) for file in FILES])
