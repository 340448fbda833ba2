"""What is told to systemd and taken from it: real datagrams, real descriptors, the real service."""

from __future__ import annotations

import asyncio
import os
import re
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from subprocess import PIPE
from time import monotonic

import pytest
from tornado.testing import bind_unused_port

from monitor.app import Service, StartError
from monitor.config import load
from monitor.model import Scrape
from monitor.start import taken_over
from monitor.systemd import HandoverError, Manager, elsewhere, handed_over, listener
from monitor.terminal.service import ask
from tests.clock import Clock
from tests.conftest import ExpectLog
from tests.service import SERVE, ended_after, running

ROOT = Path(__file__).resolve().parent.parent

PATIENCE = 20


class Inbox:
    """The socket that systemd listens on, and what came there."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(PATIENCE)

    def next(self) -> dict[str, str]:
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    @property
    def empty(self) -> bool:
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(0)


@pytest.fixture(params=["path", "abstract"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inbox]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@monitor-test-{os.getpid()}"
    box = Inbox(address)
    with box.socket:
        yield box


def test_nothing_is_told_where_nobody_asked() -> None:
    manager = Manager.of({}, 1)
    manager.ready(1.0)
    manager.ticked(lambda: pytest.fail("nobody reads this"))
    manager.stopping(1.0)
    manager.close()


def test_ready_status_and_stopping_arrive_as_sd_notify_writes_them(inbox: Inbox) -> None:
    manager = Manager.of({"NOTIFY_SOCKET": inbox.address}, 1)
    manager.ready(1.0)
    assert inbox.next() == {"READY": "1"}
    manager.ticked(lambda: "1,432 series")
    assert inbox.next() == {"STATUS": "1,432 series"}
    manager.stopping(2.5)
    assert inbox.next() == {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "2500000"}
    manager.close()


def test_a_reload_bears_the_time_that_systemd_compares(inbox: Inbox) -> None:
    manager = Manager(inbox.address)
    before = monotonic()
    manager.reloading()
    told = inbox.next()
    assert told["RELOADING"] == "1"
    assert before - 1e-6 <= int(told["MONOTONIC_USEC"]) / 1e6 <= monotonic()
    manager.close()


def test_the_watchdog_hears_only_of_ticks_in_time(inbox: Inbox) -> None:
    clock = Clock(100.0)
    manager = Manager(inbox.address, 2.0, clock)
    manager.ticked(lambda: "well")
    assert inbox.next() == {"WATCHDOG": "1", "STATUS": "well"}
    clock.now += 0.4
    manager.ticked(lambda: "too early to say it again")
    assert inbox.empty
    clock.now += 0.2
    manager.ticked(lambda: "slow", in_time=False)
    assert inbox.next() == {"STATUS": "slow"}
    manager.close()


def test_a_watchdog_that_is_shorter_than_a_few_ticks_is_told_to_wait(inbox: Inbox) -> None:
    manager = Manager(inbox.address, 30.0)
    manager.ready(60.0)
    assert inbox.next() == {"READY": "1", "WATCHDOG_USEC": "240000000"}
    manager.close()


def filled(inbox: Inbox) -> int:
    """Send what it has room for; how many messages that were."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        for sent in count():
            try:
                filler.sendto(b"X=1", inbox.address.replace("@", "\0", 1))
            except BlockingIOError:
                return sent
    raise AssertionError


def test_what_systemd_has_no_room_for_is_told_with_the_next_message(inbox: Inbox) -> None:
    clock = Clock(100.0)
    manager = Manager(inbox.address, 4.0, clock)
    sent = filled(inbox)
    manager.ready(1.0)
    manager.ticked(lambda: "well")
    for _ in range(sent):
        assert inbox.next() == {"X": "1"}
    assert inbox.empty
    manager.ticked(lambda: "well")
    assert inbox.next() == {"READY": "1", "STATUS": "well", "WATCHDOG": "1"}
    manager.close()


def test_the_variables_are_taken_and_those_of_another_process_ignored() -> None:
    theirs = {"WATCHDOG_PID": "2", "WATCHDOG_USEC": "30000000", "LISTEN_PID": "2", "LISTEN_FDS": "1"}
    environ = {"NOTIFY_SOCKET": "/nowhere", "LISTEN_FDNAMES": "monitor", **theirs}
    manager = Manager.of(environ, 1)
    assert manager.watchdog == 0
    assert handed_over(environ, 1) == []
    assert environ == {}
    manager.close()
    ours = Manager.of({"NOTIFY_SOCKET": "/nowhere", **theirs}, 2)
    assert ours.watchdog == 30
    ours.close()


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(HandoverError, match=r"WATCHDOG_USEC: found 'soon' in the environment"):
        Manager.of({"WATCHDOG_USEC": "soon"}, 1)


def test_a_listening_socket_is_taken_and_inherited_by_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        handed = os.dup(made.fileno())
        os.set_inheritable(handed, True)
        with listener(handed) as taken:
            assert taken.getsockname() == made.getsockname()
            assert not taken.get_inheritable()
            assert not taken.getblocking()


def test_what_does_not_listen_is_refused() -> None:
    with (
        socket.socket() as made,
        pytest.raises(HandoverError, match=r"no listening TCP socket: ListenStream="),
    ):
        listener(os.dup(made.fileno()))
    with Path(os.devnull).open() as file, pytest.raises(HandoverError, match="is no socket"):
        listener(os.dup(file.fileno()))


def test_sockets_elsewhere_are_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
        assert list(elsewhere([made], "127.0.0.1", port)) == []
        assert list(elsewhere([made], "localhost", 0)) == []
        assert list(elsewhere([made], "127.0.0.1", 1)) == [f"127.0.0.1:{port}"]
        assert list(elsewhere([made], "127.0.0.2", port)) == [f"127.0.0.1:{port}"]


def service(folder: Path, manager: Manager | None = None, **flags: str) -> Service:
    settings = {"server.listen": "127.0.0.1:0", "storage.path": str(folder), "collect.interval": "100ms"}
    settings["access.anonymous"] = "viewer"
    return Service(load(None, {}, settings | flags).settings, manager)


def test_a_socket_that_listens_where_the_configuration_does_not_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        settings = load(None, {}, {"server.listen": "127.0.0.2:0", "storage.path": str(tmp_path)}).settings
        started = Service(settings, None, [made])
        with pytest.raises(
            StartError, match=r"listens on 127\.0\.0\.1:\d+, and server\.listen is 127\.0\.0\.2:0"
        ):
            started.prepare()
        started.telemetry.close()


def test_sockets_are_told_apart_by_where_they_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as own, socket.create_server(("127.0.0.2", 0)) as plain:
        tls = {name: f"/etc/{name}" for name in ("certificate", "key")}
        flags = {"listen": f"127.0.0.1:{own.getsockname()[1]}"}
        flags |= {f"tls.{name}": path for name, path in tls.items()}
        flags["tls.redirect"] = f"127.0.0.2:{plain.getsockname()[1]}"
        settings = load(None, {}, {f"server.{name}": value for name, value in flags.items()}).settings
        assert taken_over(settings, [plain, own]) == ([own], [plain])
        assert taken_over(settings, []) == ([], [])


@pytest.mark.parametrize("part", ["store", "stream"])
@pytest.mark.gen_test
async def test_the_watchdog_is_left_alone_once_ticks_are_not_stored_or_not_streamed(
    part: str, tmp_path: Path, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(str(tmp_path / "notify"))
    manager = Manager(inbox.address, 0.004)
    made = service(tmp_path, manager)
    passes = asyncio.Semaphore(0)
    made.bus.subscribe(lambda _scrape: passes.release())
    with inbox.socket:
        async with made.running():
            await told(inbox, "WATCHDOG")
            if part == "store":
                expect_log("no room")

                def refuse(_scrape: Scrape) -> None:
                    passes.release()
                    raise OSError("no room")

                monkeypatch.setattr(made.head, "append", refuse)
            else:
                monkeypatch.setattr(made.audience, "tick", lambda _now: asyncio.Event().wait())
            await passed(passes, 2)
            while not inbox.empty:
                inbox.next()
            await passed(passes, 10)
            assert inbox.empty
            monkeypatch.undo()
        assert inbox.next()["STOPPING"] == "1"


async def told(inbox: Inbox, name: str) -> None:
    """Wait for a message with this variable, as those before it may lack it."""
    loop = asyncio.get_running_loop()
    inbox.socket.setblocking(False)
    while f"{name}=" not in (await loop.sock_recv(inbox.socket, 4096)).decode():
        pass


async def passed(passes: asyncio.Semaphore, count: int) -> None:
    """Wait until so many scrapes more were made."""
    while not passes.locked():
        await passes.acquire()
    for _ in range(count):
        await passes.acquire()


def test_the_service_tells_when_it_is_ready_how_it_does_and_that_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", inbox.address)
    monkeypatch.setenv("WATCHDOG_USEC", "800000")
    with inbox.socket, running(tmp_path, COLLECT__INTERVAL="100ms") as service:
        assert inbox.next() == {"READY": "1"}
        heard = [(inbox.next(), monotonic()) for _ in range(8)]
        service.send(signal.SIGTERM)
        while "STOPPING" not in (last := inbox.next()):
            assert last["WATCHDOG"] == "1"
        assert service.process
        with ended_after(PATIENCE, service.process):
            service.process.wait()
    assert last == {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "13000000"}
    assert all(message["WATCHDOG"] == "1" for message, _ in heard)
    assert re.fullmatch(r"[\d,]+ series, 0 viewers, tick \d+\.\d ms", heard[-1][0]["STATUS"])
    assert max(later - sooner for (_, sooner), (_, later) in pairwise(heard)) < 0.8


def test_systemd_hands_over_the_socket(tmp_path: Path) -> None:
    assert shutil.which("systemd-socket-activate"), "missing: the Debian package systemd"
    unused, port = bind_unused_port()
    unused.close()
    address = f"127.0.0.1:{port}"
    serve = [*SERVE, "--listen", address, "--set", f"storage.path={tmp_path}"]
    command = ["systemd-socket-activate", "-l", address, *serve]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=PIPE, stderr=PIPE) as process:
        assert process.stderr
        with ended_after(PATIENCE, process):
            assert "Listening on" in process.stderr.readline()
            answer = ask(f"http://{address}", "/healthz")
            process.terminate()
            process.communicate()
    assert answer == (200, {"status": "alive"})
    assert process.returncode == 0
