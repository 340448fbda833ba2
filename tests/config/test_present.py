"""Without `boards` there are those of what the host has; the tests make the host."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, load
from monitor.config.library import built_in
from monitor.config.present import SOURCES

THINGS = {
    "systemd": "run/systemd/system",
    "docker": "run/docker.sock",
    "kubernetes": "sys/fs/cgroup/kubepods.slice",
    "sensor": "sys/class/hwmon/hwmon0",
    "zone": "sys/class/thermal/thermal_zone0",
    "battery": "sys/class/power_supply/BAT1",
    "nvidia": "proc/driver/nvidia/version",
    "amd": "sys/class/drm/card1/device/gpu_busy_percent",
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("monitor.config.present.HERE", tmp_path / "host")
    return tmp_path / "host"


def has(root: Path, *things: str) -> None:
    for thing in things:
        (root / THINGS[thing]).mkdir(parents=True)


def boards(**environ: str) -> list[str]:
    loaded = load(None, {f"MONITOR_{name}": value for name, value in environ.items()}, {})
    return [board.name for board in loaded.settings.boards]


def test_a_host_that_has_nothing_else_has_the_overview(host: Path) -> None:
    assert boards() == ["overview"]
    host.mkdir()
    assert boards() == ["overview"]


@pytest.mark.parametrize(
    ("thing", "board"),
    [
        ("systemd", "containers"),
        ("docker", "containers"),
        ("kubernetes", "containers"),
        ("sensor", "sensors"),
        ("zone", "sensors"),
        ("battery", "sensors"),
        ("nvidia", "gpu"),
    ],
)
def test_what_a_host_has_brings_its_board(host: Path, thing: str, board: str) -> None:
    has(host, thing)
    assert boards() == ["overview", board]


def test_the_overview_is_shown_first_and_each_board_is_there_once(host: Path) -> None:
    has(host, *THINGS)
    loaded = load(None, {}, {})
    assert [board.name for board in loaded.settings.boards] == ["overview", "containers", "sensors", "gpu"]
    assert (str(loaded.sources["boards"]), loaded.files) == ("default", [])


def test_what_is_not_collected_brings_no_board(host: Path) -> None:
    has(host, "systemd", "sensor", "nvidia")
    off = {f"COLLECT__COLLECTORS__{name}": "false" for name in ("CONTAINERS", "HWMON", "NVIDIA")}
    assert boards(**off) == ["overview"]


def test_what_is_off_by_default_brings_its_board_when_it_is_turned_on(host: Path) -> None:
    has(host, "amd")
    assert boards() == ["overview"]
    assert boards(COLLECT__COLLECTORS__DRM="true") == ["overview", "gpu"]


def test_targets_bring_the_board_of_probes() -> None:
    assert boards(COLLECT__COLLECTORS__PROBES__TARGETS="['tcp://127.0.0.1:22']") == ["overview", "probes"]
    assert boards(COLLECT__COLLECTORS__PROBES__TARGETS="[]") == ["overview"]


def test_a_host_is_seen_where_its_files_are_said_to_be(tmp_path: Path) -> None:
    has(tmp_path, "systemd")
    has(tmp_path / "kernel", "sensor", "nvidia")
    kernel = {f"COLLECT__{name.upper()}FS": str(tmp_path / "kernel" / name) for name in ("sys", "proc")}
    assert boards(COLLECT__ROOTFS=str(tmp_path)) == ["overview", "containers"]
    assert boards(**kernel) == ["overview", "sensors", "gpu"]


def test_the_word_for_them_may_end_any_list(host: Path) -> None:
    has(host, "systemd", "sensor")
    assert boards(BOARDS="[sensors, found]") == ["sensors", "containers"]
    assert boards(BOARDS="[found]") == ["containers", "sensors"]
    assert boards(BOARDS="[overview]") == ["overview"]


def test_the_word_for_them_stands_nowhere_else(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("boards: [found, overview]")
    with pytest.raises(ConfigError) as caught:
        load(path, {}, {})
    (problem,) = caught.value.problems
    assert str(problem) == f'{path}:1:10: boards[0]: found "found", expected it as the last of the list'


def test_every_board_that_can_be_found_is_built_in() -> None:
    assert {source.board for source in SOURCES} | {"overview"} == set(built_in())
