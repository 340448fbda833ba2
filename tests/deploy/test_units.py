"""The units: as they are in deploy/, as systemd understands them, and as tight as they claim to be.

`MONITOR_GOLDEN=write` writes those in deploy/ anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from monitor import parts
from monitor.config import load
from monitor.deploy.units import SERVICE, SOCKET, SYSUSERS, Deployment, unit, units
from monitor.footprint import Limit, footprint, judge
from monitor.server.descriptors import BESIDES, shortage

FOLDER = Path(__file__).resolve().parents[2] / "deploy"
DEBIAN_12 = 252
NONE: Mapping[str, str] = {}
VERSIONS = (DEBIAN_12, 253, 254, 257)


def deployment(systemd: int = DEBIAN_12, flags: Mapping[str, str] = NONE) -> Deployment:
    settings = load(None, {}, flags).settings
    return parts.deployment(settings, systemd, "/opt/monitor/bin/monitor", "/etc/monitor/config.yaml")


def values(key: str, text: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The units, with a program that exists, which `verify` wants."""
    for name, text in units(replace(deployment(), program=sys.executable)).items():
        (tmp_path / name).write_text(text)
    return tmp_path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert shutil.which("systemd-analyze"), "missing: the Debian package systemd"
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", [SERVICE, SOCKET, SYSUSERS])
def test_the_units_in_the_repository_are_those_that_are_installed_on_debian_12(name: str) -> None:
    text = unit(name, deployment())
    if os.environ.get("MONITOR_GOLDEN") == "write":
        (FOLDER / name).write_text(text)
    assert (FOLDER / name).read_text() == text


def test_systemd_finds_nothing_to_say_about_them(written: Path) -> None:
    done = analyze("verify", written / SERVICE, written / SOCKET)
    assert (done.returncode, done.stderr) == (0, "")  # an unknown key only warns


def test_verify_does_find_a_key_that_is_none(written: Path) -> None:
    path = written / SERVICE
    path.write_text(path.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    assert "WatchdogSeconds" in analyze("verify", path).stderr


@pytest.mark.parametrize("systemd", VERSIONS)
def test_the_exposure_is_at_most_two(systemd: int, tmp_path: Path) -> None:
    path = tmp_path / SERVICE
    path.write_text(unit(SERVICE, replace(deployment(systemd), program=sys.executable)))
    done = analyze("security", "--offline=true", "--threshold=20", path)
    assert done.returncode == 0, done.stdout[-200:]
    assert analyze("security", "--offline=true", "--threshold=5", path).returncode != 0


@pytest.mark.parametrize("systemd", VERSIONS)
def test_each_version_gets_what_it_knows(systemd: int) -> None:
    text = unit(SERVICE, deployment(systemd))
    assert values("Type", text) == ["notify-reload" if systemd >= 253 else "notify"]
    assert bool(values("ExecReload", text)) == (systemd < 253)
    assert bool(values("RestartSteps", text)) == (systemd >= 254)
    assert len(values("RestartSec", text)) == 1
    assert not re.search(r"^\d+[+-]", text, re.MULTILINE)


@pytest.mark.parametrize("viewers", [1, 1000, 5000, 100_000])
def test_the_limits_have_room_for_the_viewers_that_are_configured(viewers: int) -> None:
    flags = {"server.websocket.max_clients": str(viewers), "server.websocket.per_address": "1"}
    text = unit(SERVICE, deployment(flags=flags))
    (memory,), (files,) = values("MemoryMax", text), values("LimitNOFILE", text)
    assert memory.endswith("M")
    limit = Limit(int(memory[:-1]) << 20, "monitor.service")
    assert judge(footprint(load(None, {}, flags).settings), limit).roomy
    assert shortage(viewers, int(files)) is None
    assert int(files) >= viewers + BESIDES


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:8844", ["127.0.0.1:8844"]),
        ("[::1]:80", ["[::1]:80"]),
        ("0.0.0.0:8844", ["0.0.0.0:8844"]),
    ],
)
def test_the_socket_listens_where_the_configuration_says(listen: str, expected: list[str]) -> None:
    made = deployment(flags={"server.listen": listen, "access.anonymous": "viewer"})
    assert values("ListenStream", unit(SOCKET, made)) == expected


def test_a_path_with_odd_characters_stays_one_word() -> None:
    text = unit(SERVICE, replace(deployment(), program='/opt/my "100%" $tools/monitor'))
    assert values("ExecStart", text) == [
        r'"/opt/my \"100%%\" $$tools/monitor" serve --config /etc/monitor/config.yaml'
    ]
