"""/api/v1/host: what a host is, as its collectors told, and null for what nobody tells."""

from __future__ import annotations

import json

import pytest

from monitor.collect import COLLECTORS
from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.storage.head import Head
from tests.collect.samples import host
from tests.server.conftest import NOW, TARGET, Ask

DMI = Metric("node_dmi_info", Kind.GAUGE, "Always 1; what the machine is.")
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
    found.append(Scrape(NOW - 30_000, TARGET, tuple(blocks)))
    found.append(Scrape(NOW - 30_000, rack, (Block(RACK, (1.0,)),)))
    return found


@pytest.mark.gen_test
async def test_hosts_are_described_by_what_their_series_tell(ask: Ask) -> None:
    answer = json.loads((await ask("/api/v1/host")).body)
    rack, web = answer["data"]["hosts"][0], answer["data"]["hosts"][1]
    assert [rack["instance"], web["instance"]] == ["rack-1", "web-1"]
    assert web["system"] == "Ubuntu 22.04.2 LTS"
    assert web["kernel"]
    assert web["processor"] == "AMD Ryzen 5 3400G with Radeon Vega Graphics"
    assert web["threads"] == 7  # One core is offline.
    assert web["memory"] > 1 << 30
    assert web["booted"] > 1e9
    assert web["hardware"] is None
    assert rack["hardware"] == "Dell Inc. PowerEdge R6515"
    assert rack["kernel"] is None
    assert rack["disks"] == []


@pytest.mark.gen_test
async def test_a_moment_before_anything_was_told_has_no_hosts(ask: Ask) -> None:
    answer = json.loads((await ask(f"/api/v1/host?time={NOW / 1000 - 86400}")).body)
    assert answer["data"] == {"hosts": []}
