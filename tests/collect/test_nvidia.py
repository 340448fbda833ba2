"""GPUs: what an H100 said, what is asked how often, and drivers that are absent, broken or stuck."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pynvml
import pytest

from monitor.collect import Host
from monitor.collect.loop import Repeated
from monitor.collect.nvidia import FAST, METRICS, PROGRAM, SLOW, Nvidia, question
from monitor.collect.workers import Pool, Turns
from monitor.model import Block
from tests.collect.samples import HERE, collected, host, numbers

LIBRARY = HERE / "nvml"
H100 = {
    "UUID": "GPU-00000000-0000-0000-0000-000000000001",
    "device": "nvidia0",
    "gpu": "0",
    "modelName": "NVIDIA H100 80GB HBM3",
    "pci_bus_id": "00000000:00:06.0",
}


def told(blocks: list[Block]) -> dict[str, float]:
    """What the H100 says, and what is said of the collector."""
    return {
        series.name.removeprefix("DCGM_FI_DEV_"): value
        for series, value in numbers(blocks).items()
        if dict(series.labels).get("gpu") != "1"
    }


def test_an_h100_is_told_of_in_the_units_of_the_dcgm_exporter() -> None:
    blocks = collected(Nvidia(folder=LIBRARY), host("rack"))
    labels = {series.labels for series in numbers(blocks) if series.name.startswith("DCGM")}
    assert H100 in map(dict, labels)
    assert len(labels) == 2
    found = told(blocks)
    assert found["POWER_USAGE"] == 108.094
    assert found["POWER_MGMT_LIMIT"] == 700
    assert found["FB_TOTAL"] == 81559.0
    assert found["GPU_TEMP"] == 38
    assert found["SM_CLOCK"] == 345
    assert found["MEM_CLOCK"] == 2619
    assert found["TOTAL_ENERGY_CONSUMPTION"] == 2307837
    assert found["PCIE_TX_THROUGHPUT"] == 2059
    assert "FAN_SPEED" not in found  # An H100 has none.
    assert found["monitor_collector_unreadable_files"] == 0


def test_what_the_driver_takes_long_to_tell_is_asked_seldom_and_stands_in_between() -> None:
    costs = json.loads((LIBRARY / "h100.json").read_text())["idle2"]["devices"][0]
    slow = {name for name, each in costs.items() if each["us"] > 500} - {"max_clock_sm"}
    assert slow == {"energy_mj", "pcie_tx_kb", "pcie_rx_kb", "pcie_replay"}
    asked = {each.function for each in FAST}
    assert not asked & {"TotalEnergyConsumption", "PcieThroughput", "PcieReplayCounter", "FanSpeed"}

    async def test() -> None:
        source, machine = Nvidia(folder=LIBRARY), host("rack")
        lines: list[set[str]] = []
        ask = source._driver.ask

        async def noting(line: bytes) -> bytes:
            lines.append(set(json.loads(line)["fields"]) & METRICS.keys())
            return await ask(line)

        source._driver.ask = noting  # type: ignore[method-assign]
        passes = []
        for now in (100, 101, 129, 130):
            machine.fresh(now)
            passes.append(told(await source.refresh(machine)))
        await source.close()
        names = {each.metric.name for each in FAST}
        assert lines == [set(METRICS), names, names, set(METRICS)]
        assert all(each == passes[0] for each in passes)

    asyncio.run(test())
    assert len(FAST) + len(SLOW) == len(METRICS)


def test_nobody_is_asked_where_there_is_no_driver(tmp_path: Path) -> None:
    source = Nvidia(folder=LIBRARY)
    with pytest.raises(FileNotFoundError, match="no driver of NVIDIA's"):
        collected(source, Host(procfs=str(tmp_path)))
    assert source.every == 30


def test_a_host_with_a_gpu_and_without_the_package_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.collect.nvidia.find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match=r"install monitor\[nvidia\]"):
        collected(Nvidia(), host("rack"))


def test_a_driver_that_cannot_be_asked_is_an_error_and_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MONITOR_NVML", "unloaded")
    with pytest.raises(OSError, match="NVIDIA's driver: Driver Not Loaded"):
        collected(Nvidia(folder=LIBRARY), host("rack"))
    with pytest.raises(OSError, match="No module named 'pynvml'"):
        collected(Nvidia(folder=tmp_path), host("rack"))


def test_a_gpu_that_is_lost_leaves_out_its_numbers_and_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MONITOR_NVML", "lost")
    source, machine = Nvidia(folder=LIBRARY), host("rack")
    for _ in range(2):
        found = told(collected(source, machine))
        assert list(found) == ["monitor_collector_unreadable_files"]
        assert found["monitor_collector_unreadable_files"] > 20
    assert caplog.messages[0].startswith("collector nvidia: left out: GPU 0: UUID: GPU is lost (and ")
    assert len(caplog.messages) == 1
    caplog.clear()


def test_a_driver_that_is_stuck_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MONITOR_NVML", "silent")

    async def test() -> None:
        stuck = Repeated("nvidia", Nvidia(folder=LIBRARY, timeout=0.3), host("rack"), lambda: 0.0)
        for now in (0, 1000):
            stuck.begin(now)
            assert not stuck.measured(now)  # Nobody waits.
            assert stuck._task
            await asyncio.wait([stuck._task])
        assert not stuck.health.good
        await stuck.close()

    asyncio.run(test())
    assert caplog.messages == ["collector nvidia: fails: TimeoutError: no answer in 0.3 s"]
    caplog.clear()


def test_the_library_of_nvidia_has_all_that_is_asked_of_it() -> None:
    fields = json.loads(question(LIBRARY, slow=True))["fields"].values()
    assert not [name for name, _, _ in fields if not hasattr(pynvml, f"nvmlDeviceGet{name}")]
    assert not [each for _, constants, _ in fields for each in constants if not hasattr(pynvml, each)]


def test_the_real_library_without_a_driver_says_so() -> None:
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("there is a driver of NVIDIA's here")

    async def answered() -> dict[str, str]:
        driver = Turns(Pool(PROGRAM))
        answer = await driver.ask(question(Path(pynvml.__file__).parent, slow=False))
        driver.close()
        found: dict[str, str] = json.loads(answer)
        return found

    assert asyncio.run(answered()) == {"error": "NVML Shared Library Not Found"}
