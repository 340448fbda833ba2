"""`monitor service` asks before it does anything."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.commands import FAILED
from monitor.commands.service import carry_out, first_config, installed
from monitor.config import load
from monitor.deploy.install import Step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def steps(done: list[str], monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return [Step("write a file", lambda: done.append("written"), "+its first line")]


def options(**chosen: bool) -> Namespace:
    return Namespace(**{"dry_run": False, "yes": False, **chosen})


def test_a_dry_run_shows_the_lines_and_does_nothing(
    steps: list[Step], done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry_out(steps, options(dry_run=True), ["next"]) == 0
    assert capsys.readouterr().out == "- write a file\n+its first line\nnothing was done (--dry-run)\n"
    assert done == []


def test_yes_does_it_and_says_what_is_next(
    steps: list[Step], done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry_out(steps, options(yes=True), ["next"]) == 0
    assert capsys.readouterr().out == "- write a file\ndone\nnext\n"
    assert done == ["written"]


@pytest.mark.parametrize(("answer", "expected"), [("y\n", ["written"]), ("n\n", []), ("", []), ("\n", [])])
def test_a_person_is_asked(
    answer: str, expected: list[str], steps: list[Step], done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert carry_out(steps, options()) == (0 if expected else FAILED)
    assert done == expected


def test_a_program_is_not_asked(
    steps: list[Step], done: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert carry_out(steps, options()) == FAILED
    assert done == []
    assert "--yes" in capsys.readouterr().err


def test_somebody_else_than_root_is_told_so(
    steps: list[Step], done: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert carry_out(steps, options(yes=True)) == FAILED
    assert done == []
    assert "this needs root" in capsys.readouterr().err


def test_the_first_configuration_is_what_init_writes(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    written = first_config(path)
    assert main(["init", str(path)]) == 0
    assert written == {path: path.read_text()}
    assert first_config(path) == {}


@pytest.mark.parametrize("viewers", [10, 1000])
def test_the_units_of_a_first_installation_fit_the_configuration_that_it_writes(
    viewers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.commands.init.viewers", lambda: viewers)
    path = tmp_path / "config.yaml"
    assert installed(path).server.websocket.max_clients == viewers
    path.write_text(first_config(path)[path])
    assert installed(path) == load(path, {}, {}).settings
    assert installed(path).server.websocket.max_clients == viewers
