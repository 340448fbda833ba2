"""NVMe controllers: /sys/class/nvme (Linux, drivers/nvme/host/sysfs.c)."""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/nvme/*"
INFO = Metric(
    "node_nvme_info", Kind.GAUGE, "Always 1; the labels tell which controller it is, and its state."
)
FILES = {"firmware_revision": "firmware_rev", "model": "model", "serial": "serial", "state": "state"}


class Nvme(Devices):
    wanted = ((FOLDER, tuple(FILES.values())),)

    def samples(self, tree: Tree) -> Samples:
        for device, path in tree.each(FOLDER):
            yield (
                INFO.at(device=device, **{name: tree.text(f"{path}/{file}") for name, file in FILES.items()}),
                1.0,
            )
