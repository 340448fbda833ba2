"""What this machine is: asked once for those who ask at once, and with what the kernel tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.machine import AGAIN, Machine, zone


class Kernel:
    """Tells no device, counts the questions, and may refuse or not answer."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.asked = 0

    async def ask(self, _protocol: int, _kind: int, _question: bytes) -> AsyncIterator[bytes]:
        self.asked += 1
        if self.refuses:
            raise PermissionError(1, "Operation not permitted", "netlink")
        await asyncio.sleep(0)
        nothing: list[bytes] = []
        for message in nothing:
            yield message


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(str(tmp_path / "proc"), str(tmp_path / "sys"), str(tmp_path))


def test_those_who_ask_at_once_are_given_one_answer_and_it_is_good_for_a_while(host: Host) -> None:
    async def test() -> None:
        kernel, now = Kernel(), [0.0]
        machine = Machine(host, "web-1", kernel.ask, lambda: now[0])
        told = await asyncio.gather(*(machine.told() for _ in range(9)))
        nothing = {"addresses": [], "disks": [], "container": "", "hypervisor": "", "zone": ""}
        assert told == [("web-1", nothing)] * 9
        assert kernel.asked == 2  # Devices and addresses.
        now[0] = AGAIN
        await machine.told()
        assert kernel.asked == 4

    asyncio.run(test())


def test_what_the_kernel_does_not_tell_is_not_known(host: Host) -> None:
    _, told = asyncio.run(Machine(host, "web-1", Kernel(refuses=True).ask).told())
    assert told["addresses"] is None
    assert told["disks"] == []


def test_this_machine_tells_of_its_loopback() -> None:
    _, told = asyncio.run(Machine(Host(), "web-1").told())
    assert {"device": "lo", "address": "127.0.0.1/8", "scope": "host"} in told["addresses"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("../usr/share/zoneinfo/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("/usr/share/zoneinfo/Etc/GMT+5", "Etc/GMT+5"),
        ("/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/<b>", ""),
        ("/elsewhere", ""),
    ],
)
def test_a_time_zone_is_where_the_clock_s_file_leads_to(host: Host, target: str, expected: str) -> None:
    folder = Path(host.root("/etc"))
    folder.mkdir()
    (folder / "localtime").symlink_to(target)
    assert zone(host) == expected


def test_a_time_zone_may_be_named_in_a_file(host: Host) -> None:
    folder = Path(host.root("/etc"))
    folder.mkdir()
    (folder / "timezone").write_text("Asia/Kolkata\n")
    assert zone(host) == "Asia/Kolkata"
