"""The real node_exporter (Debian's) beside our collectors: its series are ours, and so are its values."""

import math
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.collect import COLLECTORS, Host
from monitor.model import Block, Series
from tests.collect.samples import FIXTURES, collected, collector, host, numbers

PROGRAM = "prometheus-node-exporter"
MIB = 1 << 20
GAUGES = {
    "node_memory_": 256 * MIB,
    "node_filesystem_": 1024 * MIB,
    "node_sockstat_TCP_mem_bytes": MIB,
    "node_sockstat_": 64,
    "node_netstat_Tcp_CurrEstab": 64,
    "node_procs_": 64,
    "node_load": 1,
    "node_disk_io_now": 64,
}
"""How far a gauge may move between two reads, by how its name begins; others must not move."""
ITS_OWN = ("node_exporter_", "node_scrape_")
IDLE = 0.1
"""Seconds by which the kernel's idle and iowait times may step back (proc(5))."""


OFFLINE = "5"
"""The recorded desktop has it switched off; version 1.5 gives zeros for what is not in the file."""


class Sample(NamedTuple):
    kind: str
    value: float


@contextmanager
def exporter(*flags: str) -> Iterator[str]:
    """The address of a running node_exporter that has our collectors and no others."""
    program = shutil.which(PROGRAM)
    if program is None:
        pytest.fail(f"{PROGRAM} is missing: apt-get install {PROGRAM}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "127.0.0.1:{1}".format(*probe.getsockname())
    enabled = [f"--collector.{name}" for name in COLLECTORS]
    command = [program, f"--web.listen-address={address}", "--collector.disable-defaults", *enabled, *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if "TLS is disabled" in line:  # The last line of its start, when it listens.
                    break
            else:
                pytest.fail(f"{PROGRAM} did not start: {''.join(said)}")
            yield address
        finally:
            process.terminate()
            process.communicate()


def page(address: str) -> dict[Series, Sample]:
    """What node_exporter serves of our collectors."""
    with urlopen(f"http://{address}/metrics", timeout=10) as response:
        families = text_string_to_metric_families(response.read().decode())
        return {
            Series(sample.name, tuple(sorted(sample.labels.items()))): Sample(family.type, sample.value)
            for family in families
            for sample in family.samples
            if sample.name.startswith("node_") and not sample.name.startswith(ITS_OWN)
        }


def measured() -> tuple[dict[Series, float], dict[Series, str]]:
    """What our collectors measure on this machine now: values and kinds."""
    this = Host()
    blocks: list[Block] = []
    for make in COLLECTORS.values():
        blocks += collected(make(), this)
    this.close()
    return numbers(blocks), kinds(blocks)


def kinds(blocks: list[Block]) -> dict[Series, str]:
    return {
        series: str(metric.kind)
        for block in blocks
        for metric, series in zip(block.layout.metrics, block.layout.series, strict=True)
    }


def slack(series: Series) -> float:
    """How far the value of a series may lie outside what we read before and after."""
    if dict(series.labels).get("mode") in ("idle", "iowait"):
        return IDLE
    return next((move for start, move in GAUGES.items() if series.name.startswith(start)), 0)


def test_every_series_of_node_exporter_is_ours_with_its_labels_type_and_value() -> None:
    with exporter() as address:
        page(address)  # The first answer counts node_exporter's own start.
        before, types = measured()
        theirs = page(address)
        after, _ = measured()
    assert len(theirs) > 100
    assert not theirs.keys() - before.keys()
    assert {series: sample.kind for series, sample in theirs.items()} == {s: types[s] for s in theirs}
    outside = {
        series: (before[series], sample.value, after[series])
        for series, sample in theirs.items()
        if not between(before[series], sample.value, after[series], slack(series))
    }
    assert not outside


def between(before: float, value: float, after: float, slack: float) -> bool:
    low, high = min(before, after) - slack, max(before, after) + slack
    return low <= value <= high or math.isclose(value, low) or math.isclose(value, high)


def test_node_exporter_reads_the_recorded_desktop_as_we_do() -> None:
    root = FIXTURES / "desktop"
    flags = [f"--path.procfs={root}/proc", f"--path.sysfs={root}/sys", f"--path.rootfs={root}/root"]
    udev = f"--path.udev.data={root}/root/run/udev/data"
    with exporter(*flags, udev, "--no-collector.netdev.netlink") as address:
        theirs = page(address)
    names = COLLECTORS.keys() - {"filesystem", "time", "uname"}
    ours = numbers(block for name in names for block in collected(collector(name), host("desktop")))
    compared = {
        series: sample.value
        for series, sample in theirs.items()
        if not series.name.startswith(("node_filesystem_", "node_time_", "node_uname_"))
        and ("cpu", OFFLINE) not in series.labels
    }
    assert len(compared) > 400
    assert compared == pytest.approx({series: ours.get(series, math.nan) for series in compared}, rel=1e-12)
