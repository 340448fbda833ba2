"""What the cores are."""

import pytest

from monitor.collect import Host
from monitor.collect.cpu_info import CpuInfo, listed
from tests.collect.samples import host, numbers, text


@pytest.mark.parametrize(
    ("written", "cores"),
    [("0-2,5\n", "0 1 2 5"), ("7\n", "7"), ("\n", ""), (None, "")],
)
def test_a_list_of_cores_is_read_as_the_kernel_writes_it(written: str | None, cores: str) -> None:
    assert listed(written) == cores.split()


def test_a_list_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="x"):
        listed("0-x")


def told(flags: str, bugs: str, files: Host) -> set[str]:
    found = numbers(CpuInfo(flags, bugs).blocks(files))
    files.close()
    return {text(series) for series in found}


def test_features_and_bugs_are_told_where_a_pattern_asks_for_them() -> None:
    info = told("^(aes|sse.*)$", "spectre", host("desktop"))
    assert {each for each in info if "flag" in each or "bug" in each} == {
        'node_cpu_flag_info{flag="aes"}',
        'node_cpu_flag_info{flag="sse"}',
        'node_cpu_flag_info{flag="sse2"}',
        'node_cpu_bug_info{bug="spectre_v1"}',
        'node_cpu_bug_info{bug="spectre_v2"}',
    }
    assert not [each for each in told("", "", host("desktop")) if "flag" in each or "bug" in each]
