"""Network devices as they are set up: /sys/class/net/<device>.

Linux, Documentation/ABI/testing/sysfs-class-net.  What asks the driver (speed, duplex) waits for the lock of
all network devices, so none of it is read within a pass.
"""

from __future__ import annotations

from monitor.collect.exclude import excluder
from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/net/*"
EVERY = 10.0
"""Seconds between two looks: two dozen files of each device, which hardly change."""
UP = Metric("node_network_up", Kind.GAUGE, "Whether a network device is up and running.")
INFO = Metric("node_network_info", Kind.GAUGE, "Always 1; the labels tell how a network device is set up.")
SPEED = Metric("node_network_speed_bytes", Kind.GAUGE, "Bytes a second that the link can move.", "bytes")
TEXTS = ("address", "broadcast", "duplex", "operstate", "ifalias")
NUMBERS = {
    "addr_assign_type": (
        "address_assign_type",
        "How it got its address: 0 permanent, 1 random, 2 stolen, 3 set.",
    ),
    "carrier": ("carrier", "Whether there is a link."),
    "carrier_changes": ("carrier_changes_total", "Times that the link came or went."),
    "carrier_up_count": ("carrier_up_changes_total", "Times that the link came."),
    "carrier_down_count": ("carrier_down_changes_total", "Times that the link went."),
    "dev_id": ("device_id", "Which of the devices that share an address it is."),
    "dormant": ("dormant", "Whether it waits for something, such as an authentication."),
    "flags": ("flags", "Flags of the device (netdevice(7))."),
    "ifindex": ("iface_id", "Number of the device."),
    "iflink": ("iface_link", "Number of the device below it."),
    "link_mode": ("iface_link_mode", "0 for default, 1 for dormant."),
    "mtu": ("mtu_bytes", "Largest packet."),
    "name_assign_type": ("name_assign_type", "Who named it: 1 the kernel, 2 or 3 a rule, 4 renamed."),
    "netdev_group": ("net_dev_group", "Group of the device."),
    "tx_queue_len": ("transmit_queue_length", "Packets that the queue to send may hold."),
    "type": ("protocol_type", "Kind of hardware (ARPHRD numbers)."),
}
HEXADECIMAL = {"dev_id", "flags"}
IS_UP = 1
"""IFF_UP of netdevice(7)."""
MEGABIT = 125_000


def metric(field: str, text: str) -> Metric:
    kind = Kind.COUNTER if field.endswith("_total") else Kind.GAUGE
    return Metric(f"node_network_{field}", kind, text, "bytes" if field.endswith("_bytes") else "")


METRICS = {file: metric(*field) for file, field in NUMBERS.items()}


class Netclass(Devices):
    """All devices but those whose name matches a pattern; an empty one leaves out none."""

    wanted = ((FOLDER, (*METRICS, *TEXTS, "speed")),)

    def __init__(self, every: float = EVERY, devices_exclude: str = "") -> None:
        super().__init__(every)
        self._excluded = excluder(devices_exclude)

    def samples(self, tree: Tree) -> Samples:
        for device, path in tree.each(FOLDER):
            if not self._excluded(device) and f"{path}/operstate" in tree.texts:
                yield from samples(tree, device, path)


def samples(tree: Tree, device: str, path: str) -> Samples:
    """The series of one device."""
    texts = {name: tree.text(f"{path}/{name}") for name in TEXTS}
    flags = tree.number(f"{path}/flags", base=16)
    admin = "unknown" if flags is None else "up" if int(flags) & IS_UP else "down"
    yield UP.at(device=device), float(texts["operstate"] == "up")
    yield INFO.at(device=device, adminstate=admin, **texts), 1.0
    for file, each in METRICS.items():
        if (value := tree.number(f"{path}/{file}", 16 if file in HEXADECIMAL else 10)) is not None:
            yield each.at(device=device), value
    speed = tree.number(f"{path}/speed")
    if speed is not None and speed >= 0:  # A device that does not know says -1.
        yield SPEED.at(device=device), speed * MEGABIT
