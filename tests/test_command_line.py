"""What a person types, and what is answered: exit status, and what to do next."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

import monitor
from monitor import app
from monitor.__main__ import main
from monitor.config import Settings
from monitor.config.plain import data

Output = pytest.CaptureFixture[str]
NEXT = "every setting is explained by: monitor config reference"


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment without settings, and pytest's own log handlers put back afterwards."""
    for name in [name for name in os.environ if name.startswith("MONITOR_")]:
        monkeypatch.delenv(name)
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The service, replaced by a record of what it was started with."""
    service = Mock(return_value=0)
    monkeypatch.setattr(app, "serve", service)
    return service


def settings_of(service: Mock) -> Settings:
    (settings,) = service.call_args.args
    return Settings.model_validate(data(settings))


def config(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text)
    return str(path)


def usage_error(output: Output, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return output.readouterr().err


def test_a_module_run_tells_its_version() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "monitor", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"monitor {monitor.__version__}\n"


def test_a_good_file_is_ok(tmp_path: Path, capsys: Output) -> None:
    path = config(tmp_path, "collect: {interval: 5s}")
    assert main(["check-config", path]) == 0
    said, memory = capsys.readouterr().out.splitlines()
    assert said == f"{path}: ok"
    assert memory.startswith(
        "memory of the viewers: at most 1000 viewers x 376 KiB + 64 MiB = 431 MiB; the limit "
    )


def test_viewers_that_cannot_fit_into_memory_are_a_problem(tmp_path: Path, capsys: Output) -> None:
    path = config(tmp_path, "server: {websocket: {max_clients: 100000, send_buffer: 16MiB}}")
    assert main(["check-config", path]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "this exceeds the limit: lower server.websocket.max_clients" in err


def test_a_bad_file_is_told_all_its_problems(tmp_path: Path, capsys: Output) -> None:
    path = config(tmp_path, "server:\n  lisen: 127.0.0.1:1\nlog: {level: loud}\n")
    assert main(["check-config", path]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{path}:2:3: server.lisen: unknown setting, did you mean listen?",
        f'{path}:3:14: log.level: found "loud", expected one of debug, info, warning, error',
    ]
    assert err == f"monitor: 2 problems to correct; {NEXT}\n"


def test_a_file_is_checked_in_its_environment(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, "server: {listen: 0.0.0.0:8844}")
    assert main(["check-config", path]) == 2
    monkeypatch.setenv("MONITOR_ACCESS__ANONYMOUS", "viewer")
    assert main(["check-config", path]) == 0
    assert capsys.readouterr().err == f"monitor: 1 problem to correct; {NEXT}\n"


def test_the_queries_of_boards_are_read_as_they_will_be(
    tmp_path: Path, capsys: Output, started: Mock
) -> None:
    (tmp_path / "web.yaml").write_text(
        "name: web\ntitle: Web\npanels:\n- title: Load\n  queries:\n  - query: rat(x[$__rate_interval])\n"
    )
    path = config(tmp_path, "boards: [overview, web.yaml]\nlog: {level: loud}\n")
    assert main(["check-config", path]) == 2
    loud, query = problems = capsys.readouterr().out.splitlines()
    assert loud.startswith(f"{path}:2:14: log.level: ")
    assert query == (
        f'{tmp_path}/web.yaml:6:12: panels[0].queries[0].query: found "rat(x[$__rate_interval])", '
        "expected a query in PromQL (character 1: unknown function with name 'rat')"
    )
    assert main(["serve", "--config", path]) == 2
    assert capsys.readouterr().err.splitlines()[:2] == problems
    assert not started.called


def test_serve_says_the_same_of_a_bad_file_and_does_not_start(
    tmp_path: Path, capsys: Output, started: Mock
) -> None:
    path = config(tmp_path, "server: {listen: 8844}")
    assert main(["check-config", path]) == 2
    problem = capsys.readouterr().out
    assert main(["serve", "--config", path]) == 2
    assert capsys.readouterr().err == f"{problem}monitor: not started: 1 problem to correct; {NEXT}\n"
    assert not started.called


def test_secrets_in_a_file_that_everybody_reads_are_said_and_stop_the_start(
    tmp_path: Path, capsys: Output, started: Mock
) -> None:
    word = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + 43 * "A"
    path = config(tmp_path, f"access: {{users: [{{name: ann, password: '{word}'}}]}}")
    Path(path).chmod(0o644)
    assert main(["check-config", path]) == 2
    assert (
        "open to everybody (mode 0644), expected one that is closed: run chmod o=" in capsys.readouterr().out
    )
    assert main(["serve", "--config", path]) == 2
    assert not started.called
    Path(path).chmod(0o640)
    assert main(["check-config", path]) == main(["serve", "--config", path]) == 0


def test_serve_without_a_file_uses_the_defaults_and_says_so(capsys: Output, started: Mock) -> None:
    assert main(["serve"]) == 0
    assert settings_of(started) == Settings()
    assert capsys.readouterr().err.endswith("INFO monitor: no config file given: using the defaults\n")


def test_flags_override_the_environment_that_overrides_the_file(
    tmp_path: Path, capsys: Output, started: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, "collect: {interval: 10s, job: file, instance: file}\nlog: {format: json}")
    monkeypatch.setenv("MONITOR_COLLECT__INTERVAL", "5s")
    monkeypatch.setenv("MONITOR_COLLECT__JOB", "environment")
    flags = ["--listen", "[::1]:0", "--set", "collect.interval=2s", "--set", "server.query.series=7"]
    assert main(["serve", "--config", path, *flags]) == 0
    settings = settings_of(started)
    assert settings.collect.interval == 2.0
    assert (settings.collect.job, settings.collect.instance) == ("environment", "file")
    assert (str(settings.server.listen), settings.server.query.series) == ("[::1]:0", 7)
    assert capsys.readouterr().err == ""


def test_a_bad_flag_is_the_place_of_its_problem(capsys: Output, started: Mock) -> None:
    assert main(["serve", "--listen", "8844", "--set", "log.lvl=info"]) == 2
    listen, unknown, _ = capsys.readouterr().err.splitlines()
    assert listen.startswith('--listen: server.listen: found "8844", expected an address and a port')
    assert unknown == "--set log.lvl: log.lvl: unknown setting, did you mean level?"
    assert not started.called


def refused(*flags: str) -> str:
    """What a real `monitor serve` that cannot start says."""
    command = [sys.executable, "-m", "monitor", "serve", "--set", "log.level=error", *flags]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (run.returncode, run.stdout) == (1, "")
    return run.stderr


def test_a_port_that_is_taken_is_said_with_its_owner(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "{}:{}".format(*taken.getsockname())
        said = refused("--listen", address, "--set", f"storage.path={tmp_path}")
    assert said.startswith(f"monitor: {address} is already in use")
    assert f"(pid {os.getpid()})" in said
    assert "--listen" in said


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "state"
    said = refused("--listen", "127.0.0.1:0", "--set", f"storage.path={path}")
    assert said.startswith("monitor: ")
    assert str(path) in said
    assert "storage.path" in said


@pytest.mark.parametrize("what", ["default", "schema", "reference"])
def test_the_documents_are_printed_as_they_stand_in_the_repository(what: str, capsys: Output) -> None:
    names = {"default": "config.yaml", "schema": "config.schema.json", "reference": "docs/configuration.md"}
    assert main(["config", what]) == 0
    assert capsys.readouterr().out == (Path(__file__).parents[1] / names[what]).read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["srve"], "invalid choice: 'srve'"),
        (["serve", "--port", "1"], "unrecognized arguments: --port 1"),
        (["serve", "--set", "collect.interval"], "expected KEY.PATH=VALUE, as collect.interval=5s"),
        (["check-config"], "the following arguments are required: FILE"),
        (["config"], "the following arguments are required: COMMAND"),
    ],
)
def test_a_wrong_command_says_what_is_wrong_and_where_to_read_on(
    arguments: list[str], said: str, capsys: Output
) -> None:
    err = usage_error(capsys, *arguments)
    assert err.startswith("usage: monitor")
    assert said in err
    assert "--help" in err.splitlines()[-1]


def test_small_commands_do_not_load_the_service() -> None:
    code = "import sys; from monitor.__main__ import main; main(['check-config', 'config.yaml']); "
    code += "print(sorted({'tornado', 'monitor.app', 'monitor.server'} & set(sys.modules)))"
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("config.yaml: ok", "[]")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hash-password"], "Print the hash of a password"),
        (["token", "revoke"], "End a token; who uses it is cut within seconds."),
        (["service", "install"], "Write the units, and start the service."),
        (["config"], "Say what there is to configure"),
    ],
)
def test_a_command_says_what_it_does(words: list[str], said: str, capsys: Output) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    assert left.value.code == 0
    assert said in capsys.readouterr().out
