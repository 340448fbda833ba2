"""Ports of Fibre Channel: /sys/class/fc_host, statistics in hexadecimal.

Linux, drivers/scsi/scsi_transport_fc.c.
"""

from __future__ import annotations

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/fc_host/*"
UNKNOWN = float(2**64 - 1)
"""What a port says that does not count such a thing."""
INFO = Metric("node_fibrechannel_info", Kind.GAUGE, "Always 1; the labels tell which port it is.")
TEXTS = (
    *("speed", "port_state", "port_type", "symbolic_name", "supported_classes", "supported_speeds"),
    *("dev_loss_tmo", "port_id", "port_name", "fabric_name"),
)
COUNTS = {
    "dumped_frames": ("dumped_frames", "Frames dumped."),
    "error_frames": ("error_frames", "Frames with errors."),
    "fcp_packet_aborts": ("fcp_packet_aborts", "Packets aborted."),
    "invalid_crc_count": ("invalid_crc", "Frames with a wrong checksum."),
    "invalid_tx_word_count": ("invalid_tx_words", "Invalid words sent."),
    "link_failure_count": ("link_failure", "Times that the link failed."),
    "loss_of_signal_count": ("loss_of_signal", "Times that the signal was lost."),
    "loss_of_sync_count": ("loss_of_sync", "Times that the word boundaries were lost."),
    "nos_count": ("nos", "Primitive sequences for not operational received."),
    "rx_frames": ("rx_frames", "Frames received."),
    "rx_words": ("rx_words", "Words received."),
    "seconds_since_last_reset": ("seconds_since_last_reset", "Seconds since the port was reset."),
    "tx_frames": ("tx_frames", "Frames sent."),
    "tx_words": ("tx_words", "Words sent."),
}
METRICS = {
    file: Metric(f"node_fibrechannel_{field}_total", Kind.COUNTER, text)
    for file, (field, text) in COUNTS.items()
}


class Fibrechannel(Devices):
    wanted = ((FOLDER, TEXTS), (f"{FOLDER}/statistics", tuple(METRICS)))

    def samples(self, tree: Tree) -> Samples:
        for host, path in tree.each(FOLDER):
            labels = {name: tree.text(f"{path}/{name}").removeprefix("0x") for name in TEXTS}
            yield INFO.at(fc_host=host, **labels), 1.0
            for file, metric in METRICS.items():
                value = tree.number(f"{path}/statistics/{file}", base=16)
                if value is not None and value != UNKNOWN:
                    yield metric.at(fc_host=host), value
