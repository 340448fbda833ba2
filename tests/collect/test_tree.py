"""Devices whose files fail, vanish, come back or never answer: one value less, and everybody sees it."""

import asyncio
import errno
import logging
import shutil
from pathlib import Path

import pytest

from monitor.collect import Host, files
from monitor.collect.hwmon import Hwmon
from monitor.collect.loop import Repeated
from monitor.collect.mdadm import Mdadm
from monitor.collect.netclass import Netclass
from monitor.collect.nvme import Nvme
from monitor.collect.rapl import Rapl
from monitor.collect.thermal_zone import ThermalZone
from monitor.collect.tree import ABSENT, EVERY, Devices, Tree
from monitor.collect.workers import BusyError, Pool, Turns
from tests.collect.samples import FIXTURES, collected, numbers

CORETEMP = "sys/class/hwmon/hwmon0"
FAILS = "/proc/self/mem"
"""Answers EIO to whoever reads it from the start: a real one for a sensor that does not answer."""
NEVER = """
import os, sys
for line in sys.stdin.buffer:
    if b"hwmon" in line:
        os.read(os.pipe()[0], 1)
    sys.stdout.buffer.write(b'{"folders": [], "texts": {}, "errors": {}}\\n')
    sys.stdout.buffer.flush()
"""
UNREADABLE = "monitor_collector_unreadable_files"


@pytest.fixture
def rack(tmp_path: Path) -> Path:
    """A recorded machine that a test may change."""
    return Path(shutil.copytree(FIXTURES / "rack", tmp_path / "rack", symlinks=True))


def machine(root: Path) -> Host:
    return Host(str(root / "proc"), str(root / "sys"), str(root / "root"))


def values(source: Devices, root: Path) -> dict[str, float]:
    """What a collector finds, by name and labels."""
    found = numbers(collected(source, machine(root)))
    return {" ".join([series.name, *(value for _, value in series.labels)]): v for series, v in found.items()}


TEMPERATURE = "node_hwmon_temp_celsius platform_coretemp_0 temp1"
OTHER = "node_hwmon_temp_celsius platform_coretemp_0 temp2"


def test_a_sensor_that_fails_is_left_out_and_counted_and_the_rest_goes_on(
    rack: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Hwmon()
    whole = values(source, rack)
    sensor = rack / CORETEMP / "temp1_input"
    sensor.unlink()
    sensor.symlink_to(FAILS)
    for _ in range(2):
        part = values(source, rack)
        assert whole.items() - part.items() == {(TEMPERATURE, 55.0), (f"{UNREADABLE} hwmon", 0.0)}
        assert part[f"{UNREADABLE} hwmon"] == 1
    assert [record.getMessage() for record in caplog.records] == [
        "collector hwmon: left out: sys/class/hwmon/hwmon0/temp1_input: Input/output error"
    ]
    caplog.clear()
    sensor.unlink()
    sensor.write_text("56000\n")
    assert values(source, rack)[TEMPERATURE] == 56
    assert values(source, rack)[f"{UNREADABLE} hwmon"] == 0


def test_a_file_that_vanishes_after_it_was_listed_is_left_out(rack: Path) -> None:
    sensor = rack / CORETEMP / "temp1_input"
    sensor.unlink()
    sensor.symlink_to(rack / "gone")
    found = values(Hwmon(), rack)
    assert TEMPERATURE not in found
    assert found[OTHER] == 54
    assert found[f"{UNREADABLE} hwmon"] == 0  # What is gone is not broken.


def test_a_zone_of_heat_that_fails_leaves_out_its_own_temperature(
    rack: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):
        zone = rack / f"sys/class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text("acpitz\n")
        (zone / "temp").write_text("49925\n")
    (zone / "temp").unlink()
    (zone / "temp").symlink_to(FAILS)
    assert values(ThermalZone(), rack) == {
        "node_thermal_zone_temp acpitz 0": 49.925,
        f"{UNREADABLE} thermal_zone": 1.0,
    }
    assert "left out: sys/class/thermal/thermal_zone1/temp: Input/output error" in caplog.text
    caplog.clear()


def test_a_device_appears_and_vanishes(rack: Path) -> None:
    source, new = Netclass(), "node_network_mtu_bytes usb0"
    assert new not in values(source, rack)
    shutil.copytree(rack / "sys/class/net/ens1f0", rack / "sys/class/net/usb0")
    assert values(source, rack)[new] == 1500
    shutil.rmtree(rack / "sys/class/net/usb0")
    assert new not in values(source, rack)


def test_a_file_that_may_only_be_written_is_no_fault(rack: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    secret = rack / CORETEMP / "temp1_reset_history"
    secret.write_text("")
    secret.chmod(0o200)
    assert values(Hwmon(), rack)[f"{UNREADABLE} hwmon"] == 0
    assert not caplog.records


def test_a_number_that_is_none_is_left_out_and_counted(rack: Path, caplog: pytest.LogCaptureFixture) -> None:
    (rack / "sys/class/net/ens1f0/mtu").write_text("many\n")
    found = values(Netclass(), rack)
    assert "node_network_mtu_bytes ens1f0" not in found
    assert found["node_network_mtu_bytes ens1f1"] == 1500
    assert found[f"{UNREADABLE} netclass"] == 1
    assert "a number expected, found 'many'" in caplog.text
    caplog.clear()


def test_what_may_not_be_read_at_all_is_told_as_that(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    zone = "sys/class/powercap/intel-rapl:0"
    tree = Tree({"sys/class/powercap/*": (zone,)}, {f"{zone}/name": "package-0\n"}, {f"{zone}/energy_uj": 13})
    with pytest.raises(PermissionError, match="energy_uj"):
        Rapl().blocks(tree)
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_what_is_not_on_this_host_is_looked_for_less_often(rack: Path) -> None:
    source = Nvme()
    shutil.rmtree(rack / "sys/class/nvme")
    with pytest.raises(FileNotFoundError, match="no nvme on this host"):
        collected(source, machine(rack))
    assert source.every == ABSENT
    shutil.copytree(FIXTURES / "rack/sys/class/nvme", rack / "sys/class/nvme")
    assert values(source, rack)[
        "node_nvme_info nvme0 1B2QEXP7 Samsung SSD 970 PRO 512GB S680HF8N190894I live"
    ]
    assert source.every == EVERY


def test_a_file_that_is_too_large_is_left_out(rack: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (rack / "proc/mdstat").open("w") as file:
        file.truncate(5 << 20)
    with pytest.raises(OSError, match="File too large"):
        collected(Mdadm(), machine(rack))
    caplog.clear()


def test_a_folder_that_somebody_fills_does_not_fill_us(rack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = rack / "proc/many"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.prom").write_text("x" * 1000)
    monkeypatch.setattr(files, "ROOM", 3000)
    found = files.answered({"proc": str(rack / "proc")}, [("proc/many", ["*.prom"])])
    assert found["texts"] == {f"proc/many/{number}.prom": "x" * 1000 for number in range(4)}
    assert found["errors"] == {"proc/many/4.prom": errno.EFBIG}


def test_a_sensor_that_never_answers_is_given_up_in_time_and_other_devices_go_on(
    rack: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "never.py"
    program.write_text(NEVER)

    async def test() -> None:
        host = machine(rack)
        host.reader = Turns(Pool(program))
        stuck = Repeated("hwmon", Hwmon(timeout=0.3), host, lambda: 0.0)
        other = Repeated("nvme", Nvme(), host, lambda: 0.0)
        stuck.begin(0)
        other.begin(0)
        assert stuck._task
        assert other._task
        await asyncio.wait([stuck._task, other._task])
        assert not [*stuck.measured(1), *other.measured(1)]
        await asyncio.gather(stuck.close(), other.close())
        host.close()

    caplog.set_level(logging.DEBUG, "monitor.collect.loop")
    asyncio.run(test())
    told = [record.message for record in caplog.records if record.name == "monitor.collect.loop"]
    assert sorted(told) == [
        "collector hwmon: fails: TimeoutError: no answer in 0.3 s",
        "collector nvme: no data: [Errno 2] no nvme on this host: 'sys/class/nvme/*'",
    ]
    caplog.clear()


def test_a_host_that_was_closed_is_asked_anew_in_another_event_loop(rack: Path) -> None:
    host = machine(rack)

    async def test() -> None:
        found = await asyncio.gather(*(source.refresh(host) for source in (Hwmon(), Nvme(), Netclass())))
        assert all(blocks[0].values for blocks in found)
        host.close()

    for _ in range(2):
        asyncio.run(test())


def test_what_hangs_is_asked_once_and_holds_up_nobody_else(tmp_path: Path) -> None:
    program = tmp_path / "never.py"
    program.write_text(NEVER)

    async def test() -> None:
        turns = Turns(Pool(program, most=2))
        stuck = [asyncio.create_task(turns.ask(b"hwmon")) for _ in range(2)]
        assert await turns.ask(b"nvme") == b'{"folders": [], "texts": {}, "errors": {}}'
        stuck[0].cancel()
        stuck.append(asyncio.create_task(turns.ask(b"hwmon")))
        assert await turns.ask(b"rapl")
        assert not any(task.done() for task in stuck[1:])
        stuck.append(asyncio.create_task(turns.ask(b"another hwmon")))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="all 2 workers hang"):
            await turns.ask(b"rapl")
        turns.close()
        ended = await asyncio.gather(*stuck, return_exceptions=True)
        assert {type(each) for each in ended} == {asyncio.CancelledError}

    asyncio.run(test())
