"""The real node_exporter (Debian's) beside our collectors: its series are ours, and so are its values."""

import math
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.collect import COLLECTORS, Host
from monitor.model import Block, Labels, Series
from tests.collect.differences import LABELS, LEFT_OUT, MORE, OPTIONS, TYPES, Difference
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
    "node_arp_entries": 16,
    "node_buddyinfo_": 1 << 16,
    "node_entropy_": 4096,
    "node_filefd_allocated": 4096,
    "node_memory_numa_": 256 * MIB,
    "node_network_routes": 16,
    "node_nf_conntrack_entries": 64,
    "node_processes_": 256,
    "node_qdisc_backlog": MIB,
    "node_qdisc_current": 64,
    "node_slabinfo_active_objects": 1 << 16,
    "node_slabinfo_objects": 1 << 16,
    "node_tcp_connection_states": 4 * MIB,
    "node_timex_": 1,
    "node_udp_queues": MIB,
    "node_zoneinfo_nr_": 1 << 16,
    "node_load": 1,
    "node_disk_io_now": 64,
}
"""How far a gauge may move between two reads, by how its name begins; others must not move."""
IDLE = 0.1
"""Seconds by which the kernel's idle and iowait times may step back (proc(5))."""

ROUNDS = 3
"""Looks of node_exporter at this machine, and twice as many of ours."""
RECORDED = [("desktop", 700), ("rack", 900)]
"""Recorded machines that node_exporter can read, and how many series it finds at least."""
ASKED = ("filesystem", "qdisc", "selinux", "tcp", "time", "timex", "uname")
LIVE = (*(f"node_{name}_" for name in ASKED), "node_network_route", "node_textfile_mtime_seconds")
"""What it asks of the kernel and not of files."""
OFFLINE = "5"
"""The recorded desktop has it switched off; version 1.5 gives zeros for what is not in the file."""


class Sample(NamedTuple):
    kind: str
    value: float


def known(program: str) -> set[str]:
    """The collectors that node_exporter has."""
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"--collector\.(\w+)\s", told.stdout + told.stderr))


@contextmanager
def exporter(
    *flags: str, without: Collection[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a running node_exporter that has our collectors and no others."""
    program = shutil.which(PROGRAM)
    if program is None:
        pytest.fail(f"{PROGRAM} is missing: apt-get install {PROGRAM}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "127.0.0.1:{1}".format(*probe.getsockname())
    enabled = [f"--collector.{name}" for name in COLLECTORS.keys() & known(program) - set(without)]
    command = [
        program,
        f"--web.listen-address={address}",
        "--collector.disable-defaults",
        *enabled,
        *OPTIONS,
        *flags,
    ]
    places = os.environ | (environment or {})
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=places) as process:
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
            Series(sample.name, present(sample.labels)): Sample(family.type, sample.value)
            for family in families
            for sample in family.samples
            if sample.name.startswith("node_") and not listed(sample.name, LEFT_OUT)
        }


def present(labels: Mapping[str, str]) -> Labels:
    """Labels in order; one that is empty is as good as none (Prometheus's data model)."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def listed(name: str, differences: Sequence[Difference]) -> bool:
    return any(re.fullmatch(each.names, name) for each in differences)


def theirs_of(series: Series) -> Series:
    """One of our series as version 1.5 names it."""
    more, _ = LABELS.get(series.name, ("", ""))
    return Series(series.name, present({label: value for label, value in series.labels if label != more}))


def measured() -> tuple[dict[Series, float], dict[Series, str]]:
    """What our collectors measure on this machine now: values and kinds."""
    this = Host()
    blocks: list[Block] = []
    for make in COLLECTORS.values():
        with suppress(FileNotFoundError, PermissionError):  # Not on this machine, or for root alone.
            blocks += collected(make(), this)
    this.close()
    values = {theirs_of(series): value for series, value in numbers(blocks).items()}
    return values, {theirs_of(series): kind for series, kind in kinds(blocks).items()}


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


class Reads(NamedTuple):
    """node_exporter's page, and ours read before and after it."""

    before: dict[Series, float]
    theirs: dict[Series, Sample]
    after: dict[Series, float]
    kinds: dict[Series, str]


@pytest.fixture(scope="module")
def rounds() -> list[Reads]:
    with exporter() as address:
        page(address)  # The first answer counts node_exporter's own start.
        return [read(address) for _ in range(ROUNDS)]


def read(address: str) -> Reads:
    before, types = measured()
    theirs = page(address)
    after, later = measured()
    return Reads(before, theirs, after, types | later)


def lasting(rounds: Sequence[Reads], found: Callable[[Reads], set[str]]) -> set[str]:
    """What is found in every round: what others do on this machine differs from one to the next."""
    return set.intersection(*map(found, rounds))


def not_ours(rounds: Sequence[Reads]) -> set[str]:
    """A state that some process was in for a moment is ours if we ever saw it."""
    ours = {series for reads in rounds for series in reads.kinds}
    return lasting(rounds, lambda reads: set(map(str, reads.theirs.keys() - ours)))


def test_what_is_there_for_a_moment_is_no_difference_and_what_stays_is() -> None:
    asleep, waiting = Series("states", (("state", "S"),)), Series("states", (("state", "D"),))
    quiet = Reads({}, {asleep: Sample("gauge", 1)}, {}, {asleep: "gauge"})
    theirs = quiet._replace(theirs={**quiet.theirs, waiting: Sample("gauge", 1)})
    both = theirs._replace(kinds={**quiet.kinds, waiting: "gauge"})
    assert not_ours([theirs, quiet, theirs]) == set()
    assert not_ours([theirs, theirs, both]) == set()
    assert not_ours([theirs, theirs, theirs]) == {str(waiting)}


def not_listed(reads: Reads) -> set[str]:
    theirs = {series.name for series in reads.theirs}
    return {each.name for each in reads.kinds if each.name not in theirs and not listed(each.name, MORE)}


def of_another_type(reads: Reads) -> set[str]:
    return {
        f"{series}: {sample.kind}, and not {reads.kinds.get(series)}"
        for series, sample in reads.theirs.items()
        if series.name not in TYPES and reads.kinds.get(series, sample.kind) != sample.kind
    }


def outside(reads: Reads) -> set[str]:
    before, theirs, after, _ = reads
    return {
        str(series)
        for series, sample in theirs.items()
        if series in before and series in after
        if not between(before[series], sample.value, after[series], slack(series))
    }


def test_every_series_of_node_exporter_is_ours_with_its_labels(rounds: list[Reads]) -> None:
    assert len(rounds[0].theirs) > 100
    assert not not_ours(rounds)


def test_every_series_that_is_not_node_exporters_is_listed_with_its_reason(rounds: list[Reads]) -> None:
    assert not lasting(rounds, not_listed)


def test_every_series_has_node_exporters_type(rounds: list[Reads]) -> None:
    assert not set().union(*map(of_another_type, rounds))


def test_every_value_of_node_exporter_is_ours_within_the_time_between_the_reads(rounds: list[Reads]) -> None:
    assert not lasting(rounds, outside), rounds[-1]


def between(before: float, value: float, after: float, slack: float) -> bool:
    low, high = min(before, after) - slack, max(before, after) + slack
    return low <= value <= high or math.isclose(value, low) or math.isclose(value, high)


def found(name: str, machine: str) -> dict[Series, float]:
    """What a collector of ours finds on a recorded machine; nothing where that has no such thing."""
    recorded = host(machine)
    try:
        return numbers(collected(collector(name), recorded))
    except FileNotFoundError:
        return {}
    finally:
        recorded.close()


def below(root: Path, series: Series) -> Series:
    """A series whose labels name files, as it would be on the machine itself."""
    labels = tuple((label, value.removeprefix(str(root))) for label, value in series.labels)
    return Series(series.name, labels)


@pytest.mark.parametrize(("machine", "least"), RECORDED)
def test_node_exporter_reads_a_recorded_machine_as_we_do(machine: str, least: int) -> None:
    root = FIXTURES / machine
    flags = [f"--path.procfs={root}/proc", f"--path.sysfs={root}/sys", f"--path.rootfs={root}/root"]
    udev = f"--path.udev.data={root}/root/run/udev/data"
    scripts = root / "root/var/lib/prometheus/node-exporter"
    flags.append(f"--collector.textfile.directory={scripts}")
    # It would not start without the one, and tells of an error without the other.
    needs = {"mountstats": root / "proc/self", "textfile": scripts}
    without = {name for name, path in needs.items() if not path.exists()}
    with exporter(*flags, udev, "--no-collector.netdev.netlink", without=without) as address:
        theirs = {below(root, series): sample for series, sample in page(address).items()}
    ours = {theirs_of(series): value for name in COLLECTORS for series, value in found(name, machine).items()}
    compared = {
        series: sample.value
        for series, sample in theirs.items()
        if not series.name.startswith(LIVE) and ("cpu", OFFLINE) not in series.labels
    }
    assert len(compared) > least
    assert compared == pytest.approx({series: ours.get(series, math.nan) for series in compared}, rel=1e-12)
