"""What the firmware says of the machine: /sys/class/dmi/id (Linux, drivers/firmware/dmi-id.c).

Serial numbers may be read by root alone; their labels are left out where they may not.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

INFO = Metric("node_dmi_info", Kind.GAUGE, "Always 1; the labels are what the firmware says of the machine.")
FOLDER = "sys/class/dmi/id"
LABELS = (
    *("bios_date", "bios_release", "bios_vendor", "bios_version"),
    *("board_asset_tag", "board_name", "board_serial", "board_vendor", "board_version"),
    *("chassis_asset_tag", "chassis_serial", "chassis_vendor", "chassis_version"),
    *("product_family", "product_name", "product_serial", "product_sku", "product_uuid", "product_version"),
    "system_vendor",
)
FILES = {label: label.replace("system_vendor", "sys_vendor") for label in LABELS}
HOUR = 3600.0


class Dmi(Devices):
    wanted = ((FOLDER, tuple(FILES.values())),)

    def __init__(self, every: float = HOUR) -> None:
        super().__init__(every)

    def samples(self, tree: Tree) -> Samples:
        there = {label: f"{FOLDER}/{file}" for label, file in FILES.items()}
        labels = {label: tree.text(path) for label, path in there.items() if path in tree.texts}
        if labels:
            yield INFO.at(**labels), 1.0
