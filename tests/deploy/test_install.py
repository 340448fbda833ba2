"""`monitor service` beside a systemctl of ours, which writes down what it is asked; the real one is asked by
tests/nspawn."""

from __future__ import annotations

import grp
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.deploy import install, systemctl
from monitor.deploy.install import InstallError, Step, installing, judge_program, judge_way, removing
from monitor.deploy.status import ABSENT, RUNNING, STOPPED, status
from monitor.deploy.systemctl import CommandError
from monitor.deploy.units import GROUP, SERVICE, SOCKET, SYSUSERS

PROGRAM = """#!/bin/sh
echo "$(basename $0) $@" >> {folder}/asked
if [ "$1" = show ]; then cat {folder}/$2 2>/dev/null; fi
if [ "$1" = --version ]; then echo "systemd 252 (252.39-1~deb12u2)"; fi
if [ "$1" = restart ] && [ -e {folder}/failing ]; then echo "Job for $2 failed." >&2; exit 1; fi
exit 0
"""


class Systemd:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("systemctl", "journalctl", "systemd-sysusers", "groupdel"):
            (folder / name).write_text(PROGRAM.format(folder=folder))
            (folder / name).chmod(0o755)

    def has(self, unit: str, **properties: str) -> None:
        (self.folder / unit).write_text("".join(f"{key}={value}\n" for key, value in properties.items()))

    @property
    def asked(self) -> list[str]:
        """What it was asked to do; questions are left out."""
        path = self.folder / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        done = [line.removeprefix("systemctl ").strip() for line in lines]
        return [line for line in done if not line.startswith(("show", "--", "journalctl"))]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return Systemd(folder)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Belongs to a group that there is."""
    monkeypatch.setattr(install, "GROUP", grp.getgrgid(os.getgid()).gr_name)
    path = tmp_path / "config.yaml"
    path.touch(0o600)
    return path


def carry_out(steps: Sequence[Step]) -> None:
    for step in steps:
        step.act()


def test_a_first_installation_writes_everything_and_starts_it(
    systemd: Systemd, tmp_path: Path, config: Path
) -> None:
    files = {tmp_path / "etc" / "deep" / name: f"[{name}]\n" for name in (SERVICE, SOCKET)}
    steps = [*installing(files, config)]
    assert [step.text for step in steps[:2]] == [f"write {path}" for path in files]
    assert f"+[{SERVICE}]" in steps[0].detail
    assert not any(path.exists() for path in files)
    carry_out(steps)
    assert {path: path.read_text() for path in files} == files
    assert (tmp_path / "etc" / "deep" / SERVICE).stat().st_mode & 0o777 == 0o644
    assert config.stat().st_mode & 0o777 == 0o640
    enabled = ["systemd-sysusers", "daemon-reload", f"enable {SERVICE} {SOCKET}"]
    assert systemd.asked == [*enabled, f"restart {SOCKET}", f"restart {SERVICE}"]


def test_an_upgrade_keeps_the_socket(systemd: Systemd, tmp_path: Path, config: Path) -> None:
    systemd.has(SOCKET, ActiveState="active")
    systemd.has(SERVICE, ActiveState="active")
    (tmp_path / SOCKET).write_text("same\n")
    (tmp_path / SERVICE).write_text("old\n")
    steps = [*installing({tmp_path / SERVICE: "new\n", tmp_path / SOCKET: "same\n"}, config)]
    assert steps[0].text == f"replace {tmp_path / SERVICE}"
    assert "-old\n+new\n" in steps[0].detail
    carry_out(steps)
    assert systemd.asked[2:] == [f"enable {SERVICE} {SOCKET}", f"restart {SERVICE}"]


def test_another_address_is_bound_while_the_service_rests(
    systemd: Systemd, tmp_path: Path, config: Path
) -> None:
    systemd.has(SOCKET, ActiveState="active")
    systemd.has(SERVICE, ActiveState="active")
    carry_out([*installing({tmp_path / SOCKET: "new\n"}, config)])
    assert systemd.asked[3:] == [f"stop {SERVICE}", f"restart {SOCKET}", f"restart {SERVICE}"]


def test_a_service_that_does_not_start_is_told_in_systemds_words(
    systemd: Systemd, tmp_path: Path, config: Path
) -> None:
    (systemd.folder / "failing").touch()
    with pytest.raises(CommandError, match=rf"`systemctl restart {SOCKET}` failed: Job for {SOCKET} failed."):
        carry_out([*installing({tmp_path / SOCKET: "new\n"}, config)])


@pytest.mark.parametrize("purge", [False, True])
def test_what_was_installed_can_be_removed(systemd: Systemd, tmp_path: Path, purge: bool) -> None:
    places = {name: tmp_path / name for name in (SYSUSERS, SERVICE, SOCKET)}
    for path in places.values():
        path.touch()
    carry_out([*removing(places, purge=purge)])
    assert not any(path.exists() for path in places.values())
    clean, group = ([f"clean --what=all {SERVICE}"], [f"groupdel {GROUP}"]) if purge else ([], [])
    assert systemd.asked == [f"disable --now {SOCKET} {SERVICE}", *clean, *group, "daemon-reload"]
    assert [*removing(places, purge=purge)] == []


def test_places_that_the_service_cannot_see_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "closed" / "monitor"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setattr(install, "HIDDEN", (tmp_path,))
    with pytest.raises(InstallError, match=r"the service sees a .* of its own; move it, as to /opt/monitor"):
        judge_way(program, "the configuration")
    monkeypatch.setattr(install, "HIDDEN", ())
    judge_program(program, program.parent)
    program.chmod(0o700)
    with pytest.raises(InstallError, match=r"may not read it: .* \(chmod -R o\+rX\)"):
        judge_program(program, program.parent)
    program.parent.chmod(0o600)
    with pytest.raises(InstallError, match=rf"may not enter {program.parent}: .* \(chmod o\+x\)"):
        judge_program(program, program.parent)


WELL = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success",
    "ActiveEnterTimestamp": "Mon 2026-11-23 09:30:10 UTC", "InactiveEnterTimestamp": "",
    "StatusText": "1,432 series, 12 viewers, tick 3.1 ms", "MainPID": "42", "NRestarts": "1",
    "UnitFileState": "enabled",
}  # fmt: skip


def test_the_status_of_a_service_that_runs(systemd: Systemd) -> None:
    systemd.has(SERVICE, **WELL)
    systemd.has(SOCKET, ActiveState="active", Listen="127.0.0.1:8844 (Stream)")
    assert status() == (
        RUNNING,
        [
            "monitor.service: active (running) since Mon 2026-11-23 09:30:10 UTC",
            "  says      1,432 series, 12 viewers, tick 3.1 ms",
            "  process   42, restarted 1 times",
            "  at boot   enabled",
            "  listens   on 127.0.0.1:8844, kept by monitor.socket while it restarts",
            "  errors    none in the journal",
        ],
    )


def test_the_status_of_one_that_was_ended_by_its_watchdog(systemd: Systemd) -> None:
    ended = {"ActiveState": "failed", "SubState": "failed", "Result": "watchdog", "MainPID": "0"}
    systemd.has(SERVICE, **{**WELL, **ended, "StatusText": "", "UnitFileState": ""})
    systemd.has(SOCKET, ActiveState="inactive", Listen="")
    code, lines = status()
    assert code == STOPPED
    assert lines[0] == "monitor.service: failed (failed), because of watchdog"
    assert lines[1:3] == [
        "  at boot   not started",
        "  listens   by itself: monitor.socket is not active, so a restart refuses connections",
    ]


def test_the_status_of_what_is_not_installed(systemd: Systemd) -> None:
    systemd.has(SERVICE, LoadState="not-found")
    assert status() == (ABSENT, ["monitor.service is not installed; `monitor service install` does it"])


def test_the_version_is_read(systemd: Systemd) -> None:
    assert systemctl.version() == 252


def test_a_machine_without_systemd_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="this machine is not run by systemd"):
        systemctl.needed(tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="systemctl is not on this machine"):
        systemctl.version()
