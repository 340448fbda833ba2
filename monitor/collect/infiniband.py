"""Ports of InfiniBand and RDMA: /sys/class/infiniband/<device>/ports/<port>.

Linux, Documentation/ABI/stable/sysfs-class-infiniband: data is counted in words of four bytes, a rate begins
with Gb/s, and a state with its number.  Ports without such counters say "N/A (no PMA)".
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

DEVICES = "sys/class/infiniband/*"
PORTS = f"{DEVICES}/ports/*"
GIGABIT = 125_000_000
WORD = 4
TEXTS = {"board_id": "board_id", "firmware_version": "fw_ver", "hca_type": "hca_type"}
INFO = Metric("node_infiniband_info", Kind.GAUGE, "Always 1; the labels tell which device it is.")
STATES = {
    "state": Metric(
        "node_infiniband_state_id",
        Kind.GAUGE,
        "State of a port: 1 down, 2 init, 3 armed, 4 active, 5 act defer.",
    ),
    "phys_state": Metric(
        "node_infiniband_physical_state_id",
        Kind.GAUGE,
        "State of the link: 1 sleep, 2 polling, 3 disabled, 4 training, 5 up, 6 recovery, 7 test.",
    ),
}
RATE = Metric("node_infiniband_rate_bytes_per_second", Kind.GAUGE, "Bytes a second that a port can move.")
COUNTERS = {
    "excessive_buffer_overrun_errors": "excessive_buffer_overrun_errors",
    "link_downed": "link_downed",
    "link_error_recovery": "link_error_recovery",
    "local_link_integrity_errors": "local_link_integrity_errors",
    "multicast_rcv_packets": "multicast_packets_received",
    "multicast_xmit_packets": "multicast_packets_transmitted",
    "port_rcv_constraint_errors": "port_constraint_errors_received",
    "port_rcv_data": "port_data_received_bytes",
    "port_rcv_discards": "port_discards_received",
    "port_rcv_errors": "port_errors_received",
    "port_rcv_packets": "port_packets_received",
    "port_rcv_remote_physical_errors": "port_receive_remote_physical_errors",
    "port_rcv_switch_relay_errors": "port_receive_switch_relay_errors",
    "port_xmit_constraint_errors": "port_constraint_errors_transmitted",
    "port_xmit_data": "port_data_transmitted_bytes",
    "port_xmit_discards": "port_discards_transmitted",
    "port_xmit_packets": "port_packets_transmitted",
    "port_xmit_wait": "port_transmit_wait",
    "symbol_error": "symbol_error",
    "unicast_rcv_packets": "unicast_packets_received",
    "unicast_xmit_packets": "unicast_packets_transmitted",
    "VL15_dropped": "vl15_dropped",
}
LEGACY = {
    "port_multicast_rcv_packets": "legacy_multicast_packets_received",
    "port_multicast_xmit_packets": "legacy_multicast_packets_transmitted",
    "port_rcv_data_64": "legacy_data_received_bytes",
    "port_rcv_packets_64": "legacy_packets_received",
    "port_unicast_rcv_packets": "legacy_unicast_packets_received",
    "port_unicast_xmit_packets": "legacy_unicast_packets_transmitted",
    "port_xmit_data_64": "legacy_data_transmitted_bytes",
    "port_xmit_packets_64": "legacy_packets_transmitted",
}


def counter(field: str) -> Metric:
    unit = "bytes" if field.endswith("_bytes") else ""
    text = field.replace("_", " ")
    return Metric(f"node_infiniband_{field}_total", Kind.COUNTER, f"{text.capitalize()} of a port.", unit)


FOLDERS = {
    "counters": {file: counter(field) for file, field in COUNTERS.items()},
    "counters_ext": {file: counter(field) for file, field in LEGACY.items()},
}


class Infiniband(Devices):
    wanted = (
        (DEVICES, tuple(TEXTS.values())),
        (PORTS, (*STATES, "rate")),
        *((f"{PORTS}/{folder}", tuple(files)) for folder, files in FOLDERS.items()),
    )

    def samples(self, tree: Tree) -> Samples:
        for device, path in tree.each(DEVICES):
            yield INFO.at(device=device, **{k: tree.text(f"{path}/{file}") for k, file in TEXTS.items()}), 1.0
        for port, path in tree.each(PORTS):
            labels = {"device": path.split("/")[-3], "port": port}
            for file, metric in STATES.items():
                if (state := leading(tree, f"{path}/{file}", ":")) is not None:
                    yield metric.at(**labels), state
            if (rate := leading(tree, f"{path}/rate", " ")) is not None:
                yield RATE.at(**labels), rate * GIGABIT
            for folder, metrics in FOLDERS.items():
                yield from counts(tree, f"{path}/{folder}", metrics, labels)


def leading(tree: Tree, path: str, end: str) -> float | None:
    """The number that a text begins with; None where it is left out."""
    head = tree.text(path).partition(end)[0]
    try:
        return float(head) if head else None
    except ValueError:
        tree.faults[path] = f"a number expected, found {head[:40]!r}"
        return None


def counts(tree: Tree, folder: str, metrics: dict[str, Metric], labels: dict[str, str]) -> Samples:
    """The counters of one folder of a port."""
    for file, metric in metrics.items():
        path = f"{folder}/{file}"
        if tree.text(path).startswith("N/A"):
            continue
        if (value := tree.number(path)) is not None:
            yield metric.at(**labels), value * (WORD if metric.unit else 1)
