"""Network drivers: named as node_exporter names them, each device by itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.ethtool import PROGRAM, Ethtool, metric
from monitor.collect.workers import Pool
from tests.collect.samples import HERE, collected, numbers, text


def host(folder: Path, *devices: str) -> Host:
    for device in devices:
        (folder / "class/net" / device).mkdir(parents=True)
    return Host(sysfs=str(folder))


def told(folder: Path, *devices: str, **options: str) -> list[str]:
    source = Ethtool(pool=Pool(HERE / "drivers.py"), **options)  # type: ignore[arg-type]
    return [text(series) for series in numbers(collected(source, host(folder, *devices)))]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("rx_bytes", "received_bytes_total"),
        ("rx_queue_0_bytes", "received_queue_0_bytes"),
        ("tx_tx_timeouts", "transmitted_tx_timeouts"),
        ("[port.rx-size]: 64", "port_received_size_64"),
        ("_phy_RX_bits", "phy_received_bits"),
        ("rx0_xdp_tx", "rx0_xdp_transmitted"),
    ],
)
def test_a_number_is_named_as_node_exporter_names_it(name: str, field: str) -> None:
    assert metric(name).name == f"node_ethtool_{field}"


def test_devices_that_tell_nothing_or_are_gone_are_left_out(tmp_path: Path) -> None:
    found = told(tmp_path, "ens1f0", "ens1f1", "gone0")
    assert 'node_ethtool_received_bytes_total{device="ens1f0"}' in found
    assert not [series for series in found if "gone0" in series]
    assert [series.split("{")[0] for series in found if "ens1f1" in series] == ["node_ethtool_info"]


def test_a_device_that_fails_is_left_out_and_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source, machine = Ethtool(pool=Pool(HERE / "drivers.py")), host(tmp_path, "ens1f0", "fails")
    for _ in range(2):
        assert numbers(collected(source, machine))
    assert caplog.messages == ["collector ethtool: left out: fails: Input/output error"]
    caplog.clear()


def test_devices_and_numbers_are_chosen_by_their_names(tmp_path: Path) -> None:
    found = told(tmp_path, "ens1f0", "ens1f1", devices_exclude="1$", metrics_include="drops")
    assert [series.split("{")[0] for series in found] == ["node_ethtool_info", "node_ethtool_rx0_drops"]


def test_the_kernel_is_asked_for_real() -> None:
    asked = json.dumps(["lo", "none0", "x" * 40]).encode() + b"\n"
    command = [sys.executable, "-I", "-S", str(PROGRAM)]
    answer = json.loads(subprocess.run(command, input=asked, capture_output=True, check=True).stdout)
    assert answer["none0"] == {"info": {}, "counts": {}, "errors": {"info": 19}}
    assert answer["lo"]["errors"].keys() | answer["lo"]["info"].keys()
    assert answer["x" * 40]["errors"] == {"info": 19}
