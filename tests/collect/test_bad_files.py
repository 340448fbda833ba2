"""Files that are missing, cut off, or of a newer kernel: no wrong number, and an error that says what."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import COLLECTORS, Host
from tests.collect.samples import FIXTURES, collected, collector, numbers

DESKTOP = FIXTURES / "desktop"
FILES = {
    "cpu": ["stat"],
    "diskstats": ["diskstats"],
    "loadavg": ["loadavg"],
    "meminfo": ["meminfo"],
    "netdev": ["net/dev"],
    "netstat": ["net/netstat", "net/snmp", "net/snmp6"],
    "pressure": ["pressure/cpu", "pressure/io", "pressure/memory"],
    "sockstat": ["net/sockstat", "net/sockstat6"],
    "stat": ["stat"],
    "uname": ["sys/kernel/domainname"],
    "vmstat": ["vmstat"],
}
"""Files below procfs that a collector reads."""
NEEDED = [(name, file) for name, files in FILES.items() for file in files if not file.endswith("6")]
ALL = [(name, file) for name, files in FILES.items() for file in files]


class Changed(Host):
    """The recorded desktop, with one file below procfs replaced."""

    def __init__(self, file: str, content: bytes | None) -> None:
        super().__init__(str(DESKTOP / "proc"), str(DESKTOP / "sys"), str(DESKTOP / "root"))
        self.changed = f"{self.procfs}/{file}", content

    def read(self, path: str, sure: int = 0) -> bytes:
        changed, content = self.changed
        if path != changed:
            return super().read(path, sure)
        if content is None:
            raise FileNotFoundError(path)
        return content


def content(file: str) -> bytes:
    return (DESKTOP / "proc" / file).read_bytes()


def measured(name: str, host: Host) -> dict[str, float]:
    return {str(series): value for series, value in numbers(collected(collector(name), host)).items()}


@pytest.mark.parametrize(("name", "file"), NEEDED)
def test_a_missing_file_is_told_as_not_there(name: str, file: str) -> None:
    with pytest.raises(FileNotFoundError, match=file):
        collected(collector(name), Changed(file, None))


@pytest.mark.parametrize(("name", "file"), [("sockstat", "net/sockstat6"), ("netstat", "net/snmp6")])
def test_a_host_without_the_new_internet_protocol_has_the_old_ones_numbers(name: str, file: str) -> None:
    whole, part = measured(name, Changed(file, content(file))), measured(name, Changed(file, None))
    assert 0 < len(part) < len(whole)
    assert part.items() <= whole.items()


@pytest.mark.parametrize(("name", "file"), ALL)
@settings(max_examples=20)
@given(share=st.floats(0, 1))
def test_a_file_that_is_cut_off_gives_no_wrong_number(name: str, file: str, share: float) -> None:
    text = content(file)
    whole = measured(name, Changed(file, text))
    cut = text[: int(len(text) * share)]
    with suppress(ValueError):
        assert measured(name, Changed(file, cut)).items() <= whole.items()


@pytest.mark.parametrize(("name", "file"), ALL)
@settings(max_examples=20)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, file: str, data: bytes) -> None:
    with suppress(ValueError):
        found = measured(name, Changed(file, data + b"\n"))
        assert all(isinstance(value, (int, float)) for value in found.values())


@pytest.mark.parametrize(("name", "file"), [pair for pair in ALL if pair[0] != "uname"])
@settings(max_examples=20)
@given(data=st.data())
def test_a_garbled_line_is_read_or_refused_by_a_collector_that_knew_the_file(
    name: str, file: str, data: st.DataObject
) -> None:
    text = content(file)
    source = collector(name)
    assert not hasattr(source, "refresh")
    collected(source, Changed(file, text))
    lines = text.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = data.draw(st.sampled_from([b"", b"\n", b"x\n", b"x: y\n", b"-1\n", b"cpu9 1\n", lines[0]]))
    with suppress(ValueError):
        collected(source, Changed(file, b"".join(lines)))


@pytest.mark.parametrize("name", FILES)
def test_a_collector_works_again_when_its_file_does(name: str) -> None:
    file = FILES[name][0]
    source = collector(name)
    before = numbers(collected(source, Changed(file, content(file))))
    with pytest.raises((OSError, ValueError)):
        collected(source, Changed(file, None))
    assert numbers(collected(source, Changed(file, content(file)))) == before


def test_a_mount_table_that_cannot_be_read_is_the_services_own(tmp_path: Path) -> None:
    shutil.copytree(DESKTOP / "proc", tmp_path / "proc")
    (tmp_path / "proc/1").rename(tmp_path / "proc/self")
    found = numbers(collected(collector("filesystem"), Host(str(tmp_path / "proc"))))
    assert found == numbers(collected(collector("filesystem"), Changed("none", None)))


def test_every_collector_that_reads_procfs_is_tried() -> None:
    assert FILES.keys() == COLLECTORS.keys() - {"filesystem", "time"}


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
        collected(collector(name), Changed(file, broken[name if name == "cpu" else file]))


def test_a_line_without_its_end_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ValueError, match="proc/meminfo: whole lines expected"):
        collected(collector("meminfo"), Changed("meminfo", b"MemTotal: 12"))
