"""Files that are missing, cut off, or of a newer kernel: no wrong number, and an error that says what."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import COLLECTORS, Host
from tests.collect.samples import FIXTURES, HERE, collected, collector, numbers

DESKTOP = FIXTURES / "desktop"
SUMS = {"arp", "conntrack", "udp_queues"}
"""Collectors whose numbers are sums over lines, which one line less changes."""


class Noting(Host):
    """A recorded machine, and which files below procfs were read."""

    def __init__(self, machine: str) -> None:
        root = FIXTURES / machine
        super().__init__(str(root / "proc"), str(root / "sys"), str(root / "root"))
        self.files: list[str] = []

    def proc(self, path: str) -> str:
        self.files.append(path)
        return super().proc(path)


def machine(name: str) -> str:
    """A recorded machine on which a collector finds something; the desktop where that has it."""
    pages = [path for path in (HERE / "goldens").glob(f"*/{name}.txt") if path.read_text()]
    found = [path.parent.name for path in pages]
    return min(found, key=lambda each: (each != "desktop", each), default="desktop")


def files(name: str) -> list[str]:
    """The files below procfs that a collector reads and finds, processes left out."""
    host = Noting(machine(name))
    with suppress(FileNotFoundError):
        collected(collector(name), host)
    host.close()
    there = [file for file in dict.fromkeys(host.files) if (Path(host.procfs) / file).exists()]
    return [file for file in there if not file[0].isdigit()]


FILES = {name: found for name in COLLECTORS if (found := files(name))}
"""Files below procfs that a collector reads."""
ALL = [(name, file) for name, read in FILES.items() for file in read]
TABLES = [pair for pair in ALL if pair[0] not in SUMS]


class Changed(Host):
    """A recorded machine, with one file below procfs replaced."""

    def __init__(self, file: str, content: bytes | None, machine: str = "desktop") -> None:
        root = FIXTURES / machine
        super().__init__(str(root / "proc"), str(root / "sys"), str(root / "root"), descriptors=0)
        self.changed = f"{self.procfs}/{file}", content

    def read(self, path: str, sure: int = 0) -> bytes:
        changed, content = self.changed
        if path != changed:
            return super().read(path, sure)
        if content is None:
            raise FileNotFoundError(path)
        return content


def changed(name: str, file: str, content: bytes | None) -> Host:
    """The machine of a collector, with one of its files replaced."""
    return Changed(file, content, machine(name))


def content(name: str, file: str) -> bytes:
    return (FIXTURES / machine(name) / "proc" / file).read_bytes()


def measured(name: str, host: Host) -> dict[str, float]:
    return {str(series): value for series, value in numbers(collected(collector(name), host)).items()}


@pytest.mark.parametrize(("name", "file"), ALL)
def test_a_missing_file_is_told_as_not_there_or_its_numbers_are_left_out(name: str, file: str) -> None:
    whole, said, part = measured(name, changed(name, file, content(name, file))), "", {}
    try:
        part = measured(name, changed(name, file, None))
    except FileNotFoundError as error:
        said = str(error)
    assert file in said or part
    assert part.items() <= whole.items()


@pytest.mark.parametrize(("name", "file"), [("sockstat", "net/sockstat6"), ("netstat", "net/snmp6")])
def test_a_host_without_the_new_internet_protocol_has_the_old_ones_numbers(name: str, file: str) -> None:
    whole, part = (
        measured(name, changed(name, file, content(name, file))),
        measured(name, changed(name, file, None)),
    )
    assert 0 < len(part) < len(whole)
    assert part.items() <= whole.items()


@pytest.mark.parametrize(("name", "file"), TABLES)
@settings(max_examples=20)
@given(share=st.floats(0, 1))
def test_a_file_that_is_cut_off_gives_no_wrong_number(name: str, file: str, share: float) -> None:
    text = content(name, file)
    whole = measured(name, changed(name, file, text))
    cut = text[: int(len(text) * share)]
    with suppress(ValueError):
        assert measured(name, changed(name, file, cut)).items() <= whole.items()


@pytest.mark.parametrize(("name", "file"), ALL)
@settings(max_examples=20)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, file: str, data: bytes) -> None:
    with suppress(ValueError):
        found = measured(name, changed(name, file, data + b"\n"))
        assert all(isinstance(value, (int, float)) for value in found.values())


@pytest.mark.parametrize(("name", "file"), [pair for pair in ALL if pair[0] != "uname"])
@settings(max_examples=20)
@given(data=st.data())
def test_a_garbled_line_is_read_or_refused_and_what_comes_then_is_as_it_was(
    name: str, file: str, data: st.DataObject
) -> None:
    text = content(name, file)
    source = collector(name)
    before = numbers(collected(source, changed(name, file, text)))
    lines = text.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(st.sampled_from([b"", b"\n", b"x\n", b"x: y\n", b"-1\n", b"cpu9 1\n", lines[0]]))
    with suppress(ValueError):
        found = collected(source, changed(name, file, b"".join(lines)))
        assert all(isinstance(value, (int, float)) for block in found for value in block.values)
    assert numbers(collected(source, changed(name, file, text))) == before


@pytest.mark.parametrize("name", FILES)
def test_a_collector_works_again_when_its_file_does(name: str) -> None:
    file = FILES[name][0]
    source = collector(name)
    before = numbers(collected(source, changed(name, file, content(name, file))))
    with suppress(OSError, ValueError):
        collected(source, changed(name, file, None))
    assert numbers(collected(source, changed(name, file, content(name, file)))) == before


def test_a_mount_table_that_cannot_be_read_is_the_services_own(tmp_path: Path) -> None:
    shutil.copytree(DESKTOP / "proc", tmp_path / "proc")
    (tmp_path / "proc/1").rename(tmp_path / "proc/self")
    found = numbers(collected(collector("filesystem"), Host(str(tmp_path / "proc"))))
    assert found == numbers(collected(collector("filesystem"), Changed("none", None)))


def test_a_device_that_vanishes_between_two_files_is_left_out(tmp_path: Path) -> None:
    shutil.copytree(DESKTOP, tmp_path / "desktop")
    source = COLLECTORS["netdev"]()
    shutil.rmtree(tmp_path / "desktop/sys/class/net/docker0")
    found = collected(source, Host(str(tmp_path / "desktop/proc"), str(tmp_path / "desktop/sys")))
    dropped = [series for series in numbers(found) if series.name == "node_network_receive_nohandler_total"]
    assert ("device", "docker0") not in [series.labels[0] for series in dropped]
    assert len(dropped) == 6


def test_a_kernel_without_pressure_switched_on_has_no_data() -> None:
    class Off(Host):
        def proc(self, path: str) -> str:
            raise OSError(95, "Operation not supported", path)

    source = COLLECTORS["pressure"]()
    with pytest.raises(FileNotFoundError, match="switched off"):
        collected(source, Off())


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("cpu", "stat", "cpu lines of one length"),
        ("diskstats", "diskstats", "lines of one length"),
        ("loadavg", "loadavg", "three averages"),
        ("meminfo", "meminfo", "a number expected behind 'MemTotal:'"),
        ("netdev", "net/dev", "16 numbers expected for wlp4s0"),
        ("netstat", "net/netstat", "a line of numbers expected"),
        ("netstat", "net/snmp6", "a number expected behind"),
        ("pressure", "pressure/io", "2 lines with a total"),
        ("sockstat", "net/sockstat", "a number behind each name of TCP"),
        ("stat", "stat", "no line 'ctxt' with a number"),
        ("vmstat", "vmstat", "a number expected behind"),
    ],
)
def test_an_error_says_what_was_expected(name: str, file: str, said: str) -> None:
    broken = {
        "cpu": b"cpu 1 2\ncpu0 1 2 3\n",
        "diskstats": b"8 0 sda 1 2 3\n8 1 sda1 1 2\n",
        "loadavg": b"0.1 0.2\n",
        "meminfo": b"MemTotal: kB\n",
        "net/dev": b"wlp4s0: 1 2 3\n",
        "net/netstat": b"TcpExt: A B\n",
        "net/snmp6": b"Ip6InOctets \nIp6OutOctets 1\n",
        "pressure/io": b"some avg10=0.00 total=1\n",
        "net/sockstat": b"TCP: inuse\n",
        "stat": b"cpu 1 2\ncpu0 1 2\nintr 5 1 1\nbtime 5\n",
        "vmstat": b"pgpgin \npgpgout 1\n",
    }
    with pytest.raises(ValueError, match=said):
        collected(collector(name), changed(name, file, broken[name if name == "cpu" else file]))


def test_a_line_without_its_end_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ValueError, match="proc/meminfo: whole lines expected"):
        collected(collector("meminfo"), Changed("meminfo", b"MemTotal: 12"))
