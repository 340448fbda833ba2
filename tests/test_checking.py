"""A configuration, read and checked by a process that ends after it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import checking, queries
from monitor.checking import aside
from monitor.config import ConfigError, Settings, load
from monitor.config.facts import changes, facts
from monitor.config.plain import data
from monitor.config.read import Question


def test_a_copy_of_the_process_answers_with_what_a_load_here_gives(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("log: {level: debug}\ncollect: {collectors: {cpu: false}}\n")
    flags, environ = {"server.listen": "[::1]:0"}, {"MONITOR_COLLECT__JOB": "web"}
    read = aside(Question(path, flags), environ)()
    here = load(path, environ, flags, queries.judge)
    assert read.settings == here.settings
    assert read.told.facts == facts(here.settings, read.told.key)
    assert (read.files, read.fixed, read.changes) == ([path], here.fixed, [])
    assert str(read.settings.server.listen) == "[::1]:0"


def test_every_problem_comes_back_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("log: {level: loud}\nserver: {listen: 8844}\n")
    with pytest.raises(ConfigError) as there:
        aside(Question(path, {"log.lvl": "info"}), {})()
    with pytest.raises(ConfigError) as here:
        load(path, {}, {"log.lvl": "info"})
    assert there.value.problems == here.value.problems
    assert str(there.value) == str(here.value)
    assert len(there.value.problems) == 3


def test_a_query_that_is_wrong_is_said_by_the_copy(tmp_path: Path) -> None:
    board = "boards: [{name: a, title: A, panels: [{title: B, queries: [{query: 'rate(x'}]}]}]"
    path = tmp_path / "config.yaml"
    path.write_text(board)
    with pytest.raises(ConfigError, match="expected a query in PromQL"):
        aside(Question(path, {}), {})()


def test_a_copy_that_fails_says_why_and_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> checking.Answer:
        raise RuntimeError("out of order")

    monkeypatch.setattr(checking, "answer", broken)
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: os.write(2, str(error).encode()))
    with pytest.raises(ConfigError, match=r"c\.yaml: could not be read: the process for it ended"):
        aside(Question(tmp_path / "c.yaml", {}), {})()
    assert "out of order" in capfd.readouterr().err


def test_where_no_copy_can_be_made_that_is_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    with pytest.raises(ConfigError, match=r"the configuration: .* no process can be started for it"):
        aside(Question(None, {}), {})


def test_what_is_in_force_and_needs_a_restart_stays() -> None:
    held = load(None, {}, {"collect.job": "old", "log.level": "debug"}).settings
    wanted = load(None, {}, {"collect.job": "new"})
    read = checking.compared(Question(None, {}, held), wanted)
    assert (read.settings.collect.job, read.settings.log.level) == ("old", "info")
    assert read.changes == changes(facts(held), facts(wanted.settings))
    assert read.told.facts["collect.job"].text == "old"


def test_plain_settings_are_compared_as_their_models_are() -> None:
    plain = checking.compared(Question(None, {}), load(None, {}, {})).settings
    again = checking.compared(Question(None, {}, plain), load(None, {}, {}))
    assert again.changes == []
    assert again.settings == plain == Settings() == Settings.model_validate(data(plain))
    with pytest.raises(AttributeError, match="settings do not change"):
        plain.log.level = "debug"


def test_the_service_is_loaded_without_what_checks_settings_and_reads_queries() -> None:
    text = "import sys, monitor.__main__, monitor.app; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    assert {"monitor.app", "monitor.config.plain"} <= set(found.split())
    assert not {"pydantic", "pydantic_core", "yaml", "monitor.config.settings"} & set(found.split())
    assert not {"promql_parser", "re2"} & set(found.split()), "these wait for the first query"
