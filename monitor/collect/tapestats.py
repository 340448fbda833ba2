"""Work of the tape drives: /sys/class/scsi_tape/st<number>/stats, times in nanoseconds.

Linux, Documentation/scsi/st.rst.
"""

from __future__ import annotations

import re

from monitor.collect.exclude import excluder
from monitor.collect.tree import EVERY, Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "sys/class/scsi_tape/st*/stats"
DRIVE = re.compile(r"st\d+")
"""One of the names that each drive has, for its ways to rewind and its densities."""
NANOSECONDS = 1e9


def counter(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_tape_{field}_total", Kind.COUNTER, text, unit)


METRICS = {
    "in_flight": (Metric("node_tape_io_now", Kind.GAUGE, "Requests under way."), 1),
    "io_ns": (
        counter("io_time_seconds", "Time of all requests, moving the tape included.", "seconds"),
        NANOSECONDS,
    ),
    "other_cnt": (counter("io_others", "Requests that were neither reads nor writes."), 1),
    "read_byte_cnt": (counter("read_bytes", "Bytes read.", "bytes"), 1),
    "read_cnt": (counter("reads_completed", "Reads done."), 1),
    "read_ns": (counter("read_time_seconds", "Time of all reads.", "seconds"), NANOSECONDS),
    "resid_cnt": (counter("residual", "Reads and writes that left a rest."), 1),
    "write_byte_cnt": (counter("written_bytes", "Bytes written.", "bytes"), 1),
    "write_cnt": (counter("writes_completed", "Writes done."), 1),
    "write_ns": (counter("write_time_seconds", "Time of all writes.", "seconds"), NANOSECONDS),
}


class Tapestats(Devices):
    """All drives but those whose name matches a pattern; an empty one leaves out none."""

    wanted = ((FOLDER, tuple(METRICS)),)

    def __init__(self, every: float = EVERY, devices_exclude: str = "") -> None:
        super().__init__(every)
        self._excluded = excluder(devices_exclude)

    def samples(self, tree: Tree) -> Samples:
        for _, path in tree.each(FOLDER):
            device = path.split("/")[-2]
            if DRIVE.fullmatch(device) and not self._excluded(device):
                for file, (metric, per) in METRICS.items():
                    if (value := tree.number(f"{path}/{file}")) is not None:
                        yield metric.at(device=device), value / per
