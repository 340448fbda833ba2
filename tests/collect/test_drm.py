"""Graphics cards: those of AMD's driver, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.drm import Drm
from tests.collect.samples import collected, numbers


def card(folder: Path, name: str, driver: str, **files: str) -> None:
    device = folder / "class/drm" / name / "device"
    device.mkdir(parents=True)
    for file, content in {"uevent": f"DRIVER={driver}", **files}.items():
        (device / file).write_text(f"{content}\n")


def test_cards_of_other_drivers_are_not_told_of(tmp_path: Path) -> None:
    card(tmp_path, "card0", "i915")
    with pytest.raises(FileNotFoundError, match="no drm on this host"):
        collected(Drm(), Host(sysfs=str(tmp_path)))
    card(tmp_path, "card1", "amdgpu", gpu_busy_percent="7")
    found = {
        series.name: value for series, value in numbers(collected(Drm(), Host(sysfs=str(tmp_path)))).items()
    }
    assert found["node_drm_gpu_busy_percent"] == 7
    assert "node_drm_memory_vram_used_bytes" not in found
