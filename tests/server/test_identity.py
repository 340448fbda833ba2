"""/api/v1/host: what a host is, as its collectors told, and null for what nobody tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.collect import COLLECTORS
from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.storage.head import Head
from tests.collect.samples import host
from tests.server.conftest import NOW, TARGET, Ask

EVIL = '<script>alert(1)</script>\u202e"\\'
ADDRESS = {"device": "eth0", "address": "192.0.2.7/24", "scope": "global"}
DISK = {"device": "sda", "size": 4096.0, "kind": "SSD", "model": "as the kernel has it"}
DMI = Metric("node_dmi_info", Kind.GAUGE, "Always 1; what the machine is.")
CORE = Metric("node_cpu_info", Kind.GAUGE, "Always 1; the labels tell which core it is.")
UDEV = Metric("node_disk_info", Kind.GAUGE, "Always 1; the labels tell which disk it is.")
ZONE = Metric("node_time_zone_offset_seconds", Kind.GAUGE, "How far local time is ahead of UTC.", "seconds")
MORE = Layout(
    [
        UDEV.at(device="sda", model=EVIL, serial=""),
        UDEV.at(device="sdb", serial="7"),
        ZONE.at(time_zone="BST"),
    ]
)
RACK = Layout([DMI.at(system_vendor="Dell Inc.", product_name="PowerEdge R6515")])


@pytest.fixture
def head() -> Head:
    """What the collectors find on a recorded desktop, and a server of another name."""
    found, machine = Head(), host("desktop")
    blocks = [
        block
        for name in ("os", "uname", "cpu", "meminfo", "stat")
        for block in COLLECTORS[name]().collect(machine)  # type: ignore[union-attr]
    ]
    machine.close()
    rack = (("instance", "rack-1"), ("job", "node"))
    blocks.append(Block(MORE, (1.0, 1.0, 3600.0)))
    found.append(Scrape(NOW - 30_000, TARGET, tuple(blocks)))
    found.append(Scrape(NOW - 30_000, rack, (Block(RACK, (1.0,)),)))
    return found


@pytest.fixture
def asked() -> list[str]:
    """A line for each time that the machine was asked."""
    return []


@pytest.fixture
def options(options: dict[str, Any], asked: list[str]) -> dict[str, Any]:
    """The machine itself can be asked."""

    async def here() -> tuple[str, dict[str, Any]]:
        asked.append("asked")
        said = {"container": EVIL, "hypervisor": "kvm", "zone": "Europe/London"}
        return "web-1", {"addresses": [ADDRESS], "disks": [DISK], **said}

    return options | {"here": here}


@pytest.mark.gen_test
async def test_hosts_are_described_by_what_their_series_tell(ask: Ask) -> None:
    answer = json.loads((await ask("/api/v1/host")).body)
    rack, web = answer["data"]["hosts"][0], answer["data"]["hosts"][1]
    assert [rack["instance"], web["instance"]] == ["rack-1", "web-1"]
    assert web["system"] == "Ubuntu 22.04.2 LTS"
    assert web["kernel"]
    assert web["processor"] == "AMD Ryzen 5 3400G with Radeon Vega Graphics"
    assert (web["cores"], web["threads"]) == (4, 7)  # One thread is offline.
    assert web["memory"] > 1 << 30
    assert web["booted"] > 1e9
    assert web["hardware"] is None
    assert rack["hardware"] == "Dell Inc. PowerEdge R6515"
    assert rack["kernel"] is None
    assert rack["disks"] == []
    assert rack["addresses"] is None


@pytest.mark.gen_test
async def test_this_machine_says_what_no_series_tells(ask: Ask) -> None:
    answer = json.loads((await ask("/api/v1/host")).body)
    rack, web = answer["data"]["hosts"]
    assert answer["data"]["time"] == NOW / 1000
    assert web["addresses"] == [ADDRESS]
    assert web["disks"] == [DISK | {"model": EVIL}]
    assert (web["virtualization"], web["container"]) == ("kvm", EVIL)
    assert web["time_zone"] == {"name": "Europe/London", "short": "BST", "offset": 3600.0}
    assert (rack["virtualization"], rack["container"], rack["time_zone"]) == (None, None, None)


@pytest.mark.gen_test
async def test_of_the_past_the_machine_is_not_asked(ask: Ask, asked: list[str]) -> None:
    answer = json.loads((await ask(f"/api/v1/host?time={NOW / 1000}")).body)
    rack, web = answer["data"]["hosts"]
    assert (rack["addresses"], web["addresses"]) == (None, None)
    assert web["disks"] == [{"device": "sda", "model": EVIL}, {"device": "sdb", "serial": "7"}]
    assert not asked


@pytest.mark.gen_test
async def test_what_a_machine_says_is_data_to_a_browser(ask: Ask) -> None:
    answer = await ask("/api/v1/host")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert EVIL.encode() not in answer.body


@pytest.mark.gen_test
async def test_a_host_of_many_cores_is_described_by_its_newest_samples(ask: Ask, head: Head) -> None:
    cores = Layout(CORE.at(package="0", core=str(core), cpu=str(core)) for core in range(1024))
    many = (("instance", "many-1"), ("job", "node"))
    for second in range(-280, 1):
        head.append(Scrape(NOW + second * 1000, many, (Block(cores, [1.0] * len(cores)),)))
    answer = json.loads((await ask("/api/v1/host")).body)
    assert {host["instance"]: host["threads"] for host in answer["data"]["hosts"]}["many-1"] == 1024


@pytest.mark.gen_test
async def test_a_moment_before_anything_was_told_has_no_hosts(ask: Ask) -> None:
    answer = json.loads((await ask(f"/api/v1/host?time={NOW / 1000 - 86400}")).body)
    assert answer["data"] == {"time": NOW / 1000 - 86400, "hosts": []}
