"""`monitor viewers` before a real service, before other programs, and before nobody."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from tornado.websocket import websocket_connect

from monitor.__main__ import main
from monitor.access import FOLDER, Folder, tell_address
from monitor.commands.viewers import is_here, said
from monitor.terminal import viewers
from monitor.terminal.service import ServiceError
from tests.service import Service, running

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as started:
        yield started


async def command(service: Service, *arguments: str) -> tuple[int, str, str]:
    """Exit status and output of `monitor viewers` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "viewers", "--url", service.url, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.gen_test
async def test_who_watches_is_listed_and_can_be_cut(service: Service) -> None:
    client = await websocket_connect(service.url.replace("http", "ws") + "live")
    welcome = await client.read_message()
    assert isinstance(welcome, str)
    (session,) = re.findall(r'"session":"(\w+)"', welcome)
    await client.write_message('{"type": "subscribe", "request": 1, "board": "overview"}')
    await client.read_message()
    status, out, err = await command(service)
    assert (status, err) == (0, "")
    titles, row, count = out.splitlines()
    assert titles.split()[:4] == ["SESSION", "ADDRESS", "STATE", "BOARD"]
    assert row.split()[:4] == [session, "127.0.0.1", "live", "overview"]
    assert count == "1 viewer"
    assert await command(service, "--cut", session) == (0, f"cut {session}\n", "")
    while await client.read_message() is not None:
        pass
    client.close()
    assert (client.close_code, client.close_reason) == (4403, "cut by an operator")


def test_the_service_says_itself_where_it_is(service: Service, capsys: Output) -> None:
    assert main(["viewers", "--state", str(service.folder / "state")]) == 0
    assert capsys.readouterr().out.endswith("0 viewers\n")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("https://0.0.0.0:8844/m/", "https://127.0.0.1:8844/m/"),
        ("http://[::]:80/", "http://[::1]:80/"),
        ("http://10.0.0.7:8844/", "http://10.0.0.7:8844/"),
    ],
)
def test_a_service_that_listens_everywhere_is_asked_here(tmp_path: Path, told: str, expected: str) -> None:
    folder = Folder(tmp_path / FOLDER)
    folder.make()
    tell_address(folder, told)
    assert said(Namespace(state=tmp_path, config=None)) == expected


def test_where_no_service_has_said_anything_the_default_is_asked(tmp_path: Path) -> None:
    assert said(Namespace(state=tmp_path, config=None)) == ""


@pytest.mark.gen_test
async def test_the_key_of_another_service_is_not_shown(service: Service, user_state: Path) -> None:
    (user_state / "monitor").mkdir()
    folder = Folder(user_state / "monitor" / FOLDER)
    folder.make()
    for told in ("", "http://127.0.0.1:1/"):
        tell_address(folder, told)
        status, out, err = await command(service)
        assert (status, out.splitlines()[-1], err) == (0, "0 viewers", "")
    tell_address(folder, service.url)
    status, out, err = await command(service)
    assert (status, out, "wants to know who asks" in err) == (1, "", True)
    shutil.rmtree(user_state / "monitor")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8844/", True),
        ("https://[::1]:8844/m/", True),
        ("http://localhost/", True),
        ("http://127.example.org/", False),
        ("http://192.0.2.1:8844/", False),
        ("http://[", False),
    ],
)
def test_only_an_address_of_this_machine_is_shown_its_key(url: str, here: bool) -> None:
    assert is_here(url) is here


@pytest.mark.gen_test
async def test_one_that_is_not_there_cannot_be_cut(service: Service) -> None:
    status, out, err = await command(service, "--cut", "../boards")
    assert (status, out) == (1, "")
    assert err == "monitor: there is no viewer '../boards'; `monitor viewers` lists those there are\n"


class Screen(io.StringIO):
    """What a terminal is sent."""

    def isatty(self) -> bool:
        return True


def pauses(count: int) -> Callable[[float], None]:
    """A pause that is interrupted after so many."""
    left = iter(range(count - 1))

    def pause(_seconds: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return pause


def test_watching_writes_over_the_last_table_on_a_terminal(service: Service) -> None:
    out = Screen()
    with pytest.raises(KeyboardInterrupt):
        viewers.watch(service.url, out, pauses(2))
    first, second = out.getvalue().split("\x1b[H")[1:]
    assert first == second
    assert first.endswith("\x1b[K\n\x1b[J")


def test_watching_writes_one_table_after_the_other_to_a_file(service: Service) -> None:
    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        viewers.watch(service.url, out, pauses(2))
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("SESSION") == 2


ROW = {
    "session": "0f3a",
    "address": "10.0.0.7",
    "agent": "curl/8",
    "user": "",
    "board": "overview",
    "since": 1_000_000,
    "round_trip": 1.4,
    "rate": 2150,
    "lag": None,
    "skipped": 3,
    "waiting": 40_960,
    "oldest": 2000,
    "state": "slow",
}


def row(**fields: Any) -> str:
    return viewers.table([ROW | fields], 1, 1125.5)[1]


def test_figures_are_said_in_words() -> None:
    expected = "0f3a 10.0.0.7 slow overview 2 min 5 s 1 ms 2.1 KiB/s - 3 40 KiB, 2.0 s - curl/8"
    assert row().split() == expected.split()


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"),
        (12_340, "12.3 s"),
        (60_000, "1 min 0 s"),
        (12_000_000, "3 h 20 min"),
        (356_400_000, "4 d 3 h"),
    ],
)
def test_durations(milliseconds: float, said: str) -> None:
    assert viewers.duration(milliseconds) == said


def test_what_a_terminal_would_obey_is_not_written() -> None:
    assert "?[2J?]0;owned?" in row(agent="\x1b[2J\x1b]0;owned\x07")
    assert viewers.plain("a\u202eb\u9b00\n") == "a?b\u9b00?"


def test_no_line_is_wider_than_the_terminal() -> None:
    lines = viewers.table([ROW | {"agent": "x" * 300}], 1, 1125.5, 80)
    assert max(map(len, lines)) == 80


def test_those_left_out_are_counted() -> None:
    assert viewers.table([ROW], 1200, 1125.5)[-1] == "1200 viewers (the first 1 are listed)"


def test_a_service_that_does_not_run(capsys: Output) -> None:
    assert main(["viewers", "--url", "http://127.0.0.1:1"]) == 1
    said = "no service answers at http://127.0.0.1:1: Connection refused; start it with `monitor serve`"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:8844", "ftp://host", "http://", "http://host:port", ""])
def test_a_url_that_is_none(url: str, capsys: Output) -> None:
    assert main(["viewers", "--url", url]) == 1
    assert f"--url: found {url!r}, expected the page's address" in capsys.readouterr().err


class Stranger(BaseHTTPRequestHandler):
    """Some other program; `said` is its status and its body."""

    said: ClassVar[tuple[int, bytes]] = (200, b"")

    def do_GET(self) -> None:
        status, body = self.said
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: Any) -> None:
        """Nobody reads it."""


@contextmanager
def stranger(status: int, body: bytes) -> Iterator[str]:
    handler = type("Handler", (Stranger,), {"said": (status, body)})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "answers with status 200, and not as this version of monitor does"),
        (200, b"[]", "not as this version of monitor does"),
        (200, b"", "not as this version of monitor does"),
        (404, b'{"error": "gone"}', "answers with status 404, and not as"),
        (421, b'{"error": {"code": "wrong_host", "message": "Not here."}}', "status 421: Not here."),
    ],
)
def test_something_else_answers(status: int, body: bytes, said: str) -> None:
    with stranger(status, body) as url, pytest.raises(ServiceError, match=re.escape(said)):
        viewers.show(url, io.StringIO())


def test_something_answers_that_is_no_web_server() -> None:
    with stranger(200, b"") as url:
        ssl = url.replace("http", "https")
        with pytest.raises(ServiceError, match="no service answers at https://"):
            viewers.show(ssl, io.StringIO())


def test_the_command_loads_nothing_heavy() -> None:
    code = "import sys, monitor.__main__, monitor.terminal.viewers; "
    code += "print(sorted({'tornado', 'numpy', 'pydantic', 'yaml', 'asyncio'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
