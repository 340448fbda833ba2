"""The commands that let somebody in, before a real service that lets nobody in by itself."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from monitor.__main__ import main
from monitor.access.passwords import matches
from monitor.config.access import is_hash
from tests.service import PATIENCE, Service, ended_after, running

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service"), ACCESS__ANONYMOUS="none") as started:
        yield started


@pytest.fixture
def state(service: Service) -> list[str]:
    return ["--state", str(service.folder / "state")]


async def get(url: str, token: str = "", cookie: str = "") -> HTTPResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {"Cookie": cookie} if cookie else {}
    return await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False, follow_redirects=False)


@pytest.mark.gen_test
async def test_the_start_prints_a_link_that_logs_in(tmp_path: Path) -> None:
    made = Service(tmp_path, ACCESS__ANONYMOUS="none")
    made.start()
    try:
        assert made.process
        assert made.process.stdout
        said = [made.process.stdout.readline() for _ in range(2)]
        assert "open this link, once, within 10 minutes" in said[0]
        assert said[1].startswith(f"{made.url}login?code=")
        answer = await get(said[1].strip())
        assert (answer.code, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert (await get(f"{made.url}api/boards", cookie=cookie)).code == 200
        assert (await get(said[1].strip())).code == 401
        made.stop()
        made.start()
        assert (await get(f"{made.url}api/boards", cookie=cookie)).code == 200
    finally:
        made.stop()
    assert "code=" not in made.log.read_text()


def test_the_journal_is_told_no_link(tmp_path: Path) -> None:
    made = Service(tmp_path, ACCESS__ANONYMOUS="none")
    made.environment["JOURNAL_STREAM"] = "8:1"
    made.start()
    assert made.process
    assert made.process.stdout
    said = made.process.stdout.readline()
    made.stop()
    assert said == "to log in, open the link that this prints: monitor login-link\n"


@pytest.mark.gen_test
async def test_another_link_can_be_had_while_it_runs(
    service: Service, state: list[str], capsys: Output
) -> None:
    assert main(["login-link", *state]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith(f"{service.url}login?code=")
    assert (await get(link)).code == 303
    assert main(["login-link", *state, "--url", "https://monitor.example.org/there"]) == 0
    assert capsys.readouterr().out.startswith("https://monitor.example.org/there/login?code=")


def test_a_link_before_the_first_start_is_refused_with_a_reason(tmp_path: Path, capsys: Output) -> None:
    assert main(["login-link", "--state", str(tmp_path / "state")]) == 1
    assert "which the service makes when it first starts" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_that_has_ended_has_no_address_to_lead_to(
    tmp_path: Path, capsys: Output, number: signal.Signals
) -> None:
    made = Service(tmp_path, ACCESS__ANONYMOUS="none")
    made.start()
    made.send(number)
    assert made.process
    with ended_after(PATIENCE, made.process):
        made.process.communicate()
    state = ["--state", str(tmp_path / "state")]
    assert main(["login-link", *state]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"monitor: nobody listens at {made.url.rstrip('/')}")
    assert "start it, or say with --url where its page is" in err
    assert main(["login-link", *state, "--url", made.url]) == 0


@pytest.mark.gen_test
async def test_a_token_is_made_used_listed_and_revoked(
    service: Service, state: list[str], capsys: Output
) -> None:
    assert main(["token", "create", "grafana", "--expires", "1d", *state]) == 0
    token, advice = capsys.readouterr()
    assert "shown once" in advice
    boards = f"{service.url}api/boards"
    while (await get(boards, token.strip())).code != 200:
        pass
    assert (await get(f"{service.url}api/viewers", token.strip())).code == 403
    assert (await get(f"{service.url}metrics", token.strip())).code == 200
    assert main(["token", "list", *state]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"^grafana  viewer  all    \d{4}-\d\d-\d\d \d\d:\d\d  \d{4}", listed, re.MULTILINE)
    assert token.strip() not in listed
    assert main(["token", "revoke", "grafana", *state]) == 0
    while (await get(boards, token.strip())).code != 401:
        pass
    assert main(["token", "revoke", "grafana", *state]) == 1


def test_a_token_can_be_good_for_one_thing_and_for_ever(state: list[str], capsys: Output) -> None:
    flags = ["--role", "operator", "--scope", "metrics", "--scope", "view", "--expires", "never"]
    assert main(["token", "create", "scraper", *flags, *state]) == 0
    assert main(["token", "list", *state]) == 0
    assert re.search(r"scraper  operator  metrics,view  .*  never$", capsys.readouterr().out, re.MULTILINE)
    assert main(["token", "create", "scraper", *state]) == 1
    assert "there is a token 'scraper' already" in capsys.readouterr().err
    assert main(["token", "revoke", "scraper", *state]) == 0


@pytest.mark.parametrize("text", ["", "0s", "1", "90 days", "99999d"])
def test_a_duration_that_is_none_is_refused(text: str, capsys: Output) -> None:
    with pytest.raises(SystemExit):
        main(["token", "create", "x", "--expires", text])
    assert "expected 30d or 12h, or never" in capsys.readouterr().err


def viewers(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", "viewers", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=30
    )


def test_who_may_read_the_key_may_see_who_watches(service: Service, state: list[str]) -> None:
    run = viewers("--url", service.url, *state)
    assert (run.returncode, run.stdout.splitlines()[-1], run.stderr) == (0, "0 viewers", "")


def test_who_may_not_is_told_what_to_do(service: Service, tmp_path: Path) -> None:
    run = viewers("--url", service.url, "--state", str(tmp_path))
    assert run.returncode == 1
    assert "wants to know who asks: run this as the user of the service or as root" in run.stderr


def test_a_token_comes_from_a_file_or_the_environment(
    service: Service, state: list[str], tmp_path: Path, capsys: Output
) -> None:
    assert main(["token", "create", "ops", "--role", "operator", *state]) == 0
    token = capsys.readouterr().out
    (tmp_path / "token").write_text(token)
    elsewhere = ["--url", service.url, "--state", str(tmp_path)]
    while viewers(*elsewhere, MONITOR_TOKEN=token.strip()).returncode:
        pass
    assert viewers(*elsewhere, "--token-file", str(tmp_path / "token")).returncode == 0
    missing = viewers(*elsewhere, "--token-file", str(tmp_path / "nothing"))
    assert (missing.returncode, "No such file" in missing.stderr) == (1, True)


def hashed(given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", "hash-password"]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=30)


def test_a_password_is_read_from_standard_input() -> None:
    run = hashed("correct horse\nmore\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert is_hash(run.stdout.strip())
    assert matches("correct horse", run.stdout.strip())


@pytest.mark.parametrize("given", ["", "short\n"])
def test_a_password_that_is_none_is_refused_and_not_repeated(given: str) -> None:
    run = hashed(given)
    assert (run.returncode, run.stdout) == (1, "")
    assert "characters, expected 8 to 1024" in run.stderr
    assert "short\n" not in run.stderr


def typed(*lines: str) -> str:
    """What a terminal shows when these are typed, each when it is asked for."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "monitor", "hash-password"])
    shown = ""
    answers = iter(lines)
    while True:
        try:
            shown += os.read(terminal, 1024).decode()
        except OSError:  # The other end has closed (pty(7)).
            break
        if shown.endswith(": "):
            os.write(terminal, next(answers).encode() + b"\n")
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown


def test_a_password_is_asked_for_twice_and_never_shown() -> None:
    shown = typed("correct horse", "correct horse")
    assert "correct horse" not in shown
    assert matches("correct horse", shown.split()[-1])
    assert "the two are not the same" in typed("correct horse", "correct horsf")
