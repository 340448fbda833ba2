"""What `monitor config explain` and `monitor config diff` say of a file, and of a service that runs."""

import json
import os
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.app import Service
from monitor.config import Origin, load
from monitor.config.facts import told

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MONITOR_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str, name: str = "config.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_each_value_is_told_with_its_place(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "log:\n  level: debug\ncollect: {interval: 5s}\n")
    monkeypatch.setenv("MONITOR_COLLECT__JOB", "web")
    flags = ["--set", "collect.procfs=/host/proc"]
    assert main(["config", "explain", path, "--only", "log", "--only", "collect", "--given", *flags]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["collect.interval", f"{path}:3:21", "5s"],
        ["collect.job", "MONITOR_COLLECT__JOB", "web"],
        ["collect.procfs", "--set", "collect.procfs", "/host/proc"],
        ["log.level", f"{path}:2:10", "debug"],
    ]


def test_columns_are_in_line(capsys: Output) -> None:
    assert main(["config", "explain", "--only", "server.query"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.index("default") for line in lines} == {len("server.query.samples  ")}
    assert main(["config", "explain", "--only", "log.level", "--given"]) == 0
    assert capsys.readouterr().out == ""


def test_programs_are_told_what_a_change_takes_too(capsys: Output) -> None:
    assert main(["config", "explain", "--only", "server.listen", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"key": "server.listen", "value": "127.0.0.1:8844", "source": "default", "takes": "restart"}
    ]


@pytest.mark.parametrize("command", ["explain", "diff"])
def test_a_wrong_file_is_told_its_problems(command: str, tmp_path: Path, capsys: Output) -> None:
    path = written(tmp_path, "log: {level: loud}")
    assert main(["config", command, path]) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f'{path}:1:14: log.level: found "loud"')
    assert err.startswith("monitor: 1 problem to correct")


def test_a_setting_that_does_not_exist_is_no_filter(capsys: Output) -> None:
    assert main(["config", "explain", "--only", "server.websockets"]) == 2
    assert "--only server.websockets: there is no such setting" in capsys.readouterr().err


def test_two_files_are_compared(tmp_path: Path, capsys: Output) -> None:
    old = written(tmp_path, "log: {level: debug}")
    new = written(tmp_path, "server: {listen: 127.0.0.1:1, websocket: {max_clients: 7}}", "new.yaml")
    assert main(["config", "diff", new, "--against", old]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "server.listen: 127.0.0.1:8844 -> 127.0.0.1:1 (needs a restart)",
        "server.websocket.max_clients: 1000 -> 7 (reload)",
        "log.level: debug -> info (reload)",
    ]
    assert main(["config", "diff", old, "--against", old]) == 0
    assert capsys.readouterr().out == "no setting differs\n"


@pytest.mark.gen_test(timeout=20)
async def test_a_file_is_compared_with_what_the_service_runs_on(tmp_path: Path, capsys: Output) -> None:
    folder = tmp_path / "state"
    path = written(tmp_path, f"storage: {{path: {folder}}}\nserver: {{listen: 127.0.0.1:0}}\n")
    loaded = load(Path(path), {}, {"server.query.series": "7"})
    given = {"server.query.series": "7"}
    origin = Origin(Path(path), given, loaded.files, loaded.fixed, told(loaded.settings))
    async with Service(loaded.settings, origin=origin).running():
        assert (folder / "running.json").stat().st_mode & 0o777 == 0o600
        written(tmp_path, f"storage: {{path: {folder}}}\nserver: {{listen: 127.0.0.1:0, workers: 2}}\n")
        assert main(["config", "diff", path]) == 0
        assert main(["config", "diff", path, "--state", str(folder), "--set", "server.workers=1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "server.workers: 1 -> 2 (needs a restart)",
        "server.query.series: stays, as the service was started with --set server.query.series",
        "server.query.series: stays, as the service was started with --set server.query.series",
    ]
    assert main(["config", "diff", path]) == 1
    assert f"no service runs on the state folder {folder}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"pid": 1, "started": "0", "key": "00", "settings": {}, "fixed": {}}', "has ended"),
        ("[]", "is not of this version of monitor"),
        ("{}", "is not of this version of monitor"),
    ],
)
def test_what_a_service_left_behind_is_not_believed(
    text: str, said: str, tmp_path: Path, capsys: Output
) -> None:
    written(tmp_path, text, "running.json")
    assert main(["config", "diff", written(tmp_path, "{}"), "--state", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err
