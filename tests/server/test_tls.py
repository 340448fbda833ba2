"""TLS by real sockets: what is agreed on, who never finishes, and certificates that change meanwhile."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from monitor.server.arrivals import Arrivals, Patience
from monitor.server.gate import Gate
from monitor.server.listener import make_server
from monitor.server.tls import Files, Identity, TlsError
from monitor.telemetry import Telemetry
from tests import surroundings
from tests.clock import Clock
from tests.conftest import ExpectLog
from tests.tls import pair, trusting

PATIENCE = Patience(request=10.0, idle=60.0, answer=5.0)
SWEEP = 1.0
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Who(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol} {self.request.remote_ip}")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    certificate, key = pair(tmp_path)
    return Files(str(certificate), str(key))


@pytest.fixture
def identity(files: Files, telemetry: Telemetry) -> Identity:
    return Identity(files, telemetry)


@pytest.fixture
def arrivals(clock: Clock, telemetry: Telemetry) -> Arrivals:
    return Arrivals(clock, PATIENCE, telemetry)


@pytest.fixture
def port(
    identity: Identity,
    arrivals: Arrivals,
    telemetry: Telemetry,
    io_loop: IOLoop,
    _unused_port: tuple[Any, int],
) -> Iterator[int]:
    application = Application([("/.*", Who)], log_function=lambda _handler: None)
    server = make_server(application, request_timeout=3600, idle_timeout=3600, arrivals=arrivals)
    gate = Gate(server, telemetry, stream=identity.stream)

    async def begin() -> None:
        gate.open([_unused_port[0]])

    async def end() -> None:
        gate.close()
        await server.close_all_connections()

    io_loop.run_sync(begin)
    yield _unused_port[1]
    io_loop.run_sync(end, timeout=surroundings.PATIENCE)
    assert len(arrivals) == 0


async def until(true: Callable[[], object]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def shown(port: int, context: ssl.SSLContext) -> tuple[bytes, ssl.SSLObject]:
    """The answer to a request, and what was agreed on."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    agreed = writer.get_extra_info("ssl_object")
    writer.write(REQUEST)
    answer = await reader.read()
    writer.close()
    with suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()
    return answer, agreed


async def refused(port: int, context: ssl.SSLContext) -> bool:
    """Whether nothing is answered; in TLS 1.3 a client hears of its refusal only when it reads."""
    try:
        return not (await shown(port, context))[0]
    except (ssl.SSLError, ConnectionError):
        return True


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.gen_test
async def test_a_request_comes_under_tls(port: int, files: Files, version: ssl.TLSVersion) -> None:
    context = trusting(Path(files.certificate))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    answer, agreed = await shown(port, context)
    assert answer.endswith(b"https 127.0.0.1")
    assert agreed.selected_alpn_protocol() == "http/1.1"
    assert agreed.compression() is None
    assert "GCM" in agreed.cipher()[0] or "CHACHA20" in agreed.cipher()[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"), (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256"),
     (ssl.TLSVersion.TLSv1_2, "ECDHE+AES128+SHA256"), (ssl.TLSVersion.TLSv1_2, "DHE")],
)  # fmt: skip
@pytest.mark.gen_test
async def test_what_is_not_safe_is_refused(
    port: int, files: Files, telemetry: Telemetry, version: ssl.TLSVersion, ciphers: str
) -> None:
    context = trusting(Path(files.certificate))
    context.set_ciphers(ciphers)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    assert await refused(port, context)
    await until(lambda: telemetry.handshakes_failed == 1)


def hello(context: ssl.SSLContext) -> bytes:
    """The first words of a client."""
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.gen_test
async def test_a_handshake_that_is_never_finished_is_closed_in_time(
    port: int, files: Files, arrivals: Arrivals, clock: Clock, telemetry: Telemetry
) -> None:
    whole = hello(trusting(Path(files.certificate)))
    streams: list[IOStream] = []
    for said in (b"", whole[:1], whole[: len(whole) // 2], whole):
        for _ in range(25):
            streams.append(await TCPClient().connect("127.0.0.1", port))
            await streams[-1].write(said)
    await until(lambda: len(arrivals) == len(streams))
    answered = [await stream.read_bytes(5) for stream in streams[-25:]]
    assert answered == [b"\x16\x03\x03" + answered[0][3:]] * 25  # A ServerHello: half a handshake.
    while clock.now < PATIENCE.request - SWEEP:
        clock.now += SWEEP
        arrivals.sweep()
    assert len(arrivals) == len(streams)
    clock.now += 2 * SWEEP
    arrivals.sweep()
    for stream in streams:
        await stream.read_until_close()
    await until(lambda: not arrivals.waiting)
    assert telemetry.expired == {"unfinished-request": len(streams)}


@pytest.mark.parametrize(
    "said", [REQUEST, b"\x16\x03\x01\x00\x05hello", b"\x00" * 64, b"\x80\x2e\x01\x03\x01" + bytes(44)]
)
@pytest.mark.gen_test
async def test_what_is_no_tls_is_closed_counted_and_not_logged(
    port: int, telemetry: Telemetry, said: bytes
) -> None:
    stream = await TCPClient().connect("127.0.0.1", port)
    await stream.write(said)
    await stream.read_until_close()
    assert telemetry.handshakes_failed == 1


@pytest.mark.gen_test
async def test_a_connection_that_cannot_be_wrapped_is_closed(telemetry: Telemetry) -> None:
    def gone(_connection: socket.socket, **_options: Any) -> IOStream:
        raise OSError

    gate = Gate(make_server(Application()), telemetry, stream=gone)
    listener, port = bind_unused_port()
    gate.open([listener])
    stream = await TCPClient().connect("127.0.0.1", port)
    assert await stream.read_until_close() == b""
    gate.close()


def used(identity: Identity) -> str:
    """What tells one certificate from another."""
    served, client = (ssl.MemoryBIO(), ssl.MemoryBIO()), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    ends = (
        client.wrap_bio(served[0], served[1]),
        identity.context.wrap_bio(served[1], served[0], server_side=True),
    )
    for end in ends * 2:
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return str(ends[0].getpeercert(binary_form=True))


def test_a_new_pair_is_used_once_it_stays_as_it_is(
    identity: Identity, tmp_path: Path, telemetry: Telemetry
) -> None:
    first, validity = used(identity), telemetry.certificate
    pair(tmp_path, days=9)
    identity.look()
    assert used(identity) == first
    identity.look()
    assert used(identity) != first
    assert telemetry.certificate is not None
    assert validity is not None
    assert telemetry.certificate.expiry > validity.expiry


@pytest.mark.gen_test
async def test_connections_that_are_open_stay_when_the_certificate_changes(
    port: int, identity: Identity, files: Files, tmp_path: Path
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(Path(files.certificate)))
    pair(tmp_path)
    identity.look()
    identity.look()
    writer.write(REQUEST)
    assert (await reader.read()).endswith(b"https 127.0.0.1")
    writer.close()
    assert (await shown(port, trusting(Path(files.certificate))))[0].endswith(b"https 127.0.0.1")


def test_a_pair_of_which_one_half_is_written_is_not_tried(
    identity: Identity, tmp_path: Path, files: Files
) -> None:
    first = used(identity)
    certificate, key = pair(tmp_path, "next")
    Path(files.certificate).write_bytes(certificate.read_bytes())
    identity.look()
    Path(files.key).write_bytes(key.read_bytes())
    identity.look()
    assert used(identity) == first
    identity.look()
    assert used(identity) != first


def test_a_pair_that_cannot_be_used_is_said_once_and_the_one_before_stays(
    identity: Identity, tmp_path: Path, files: Files, telemetry: Telemetry, expect_log: ExpectLog,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    first = used(identity)
    expect_log("does not belong to the certificate.*the certificate read before stays in use")
    certificate, key = pair(tmp_path, "next")
    for _ in range(2):
        Path(files.certificate).write_bytes(certificate.read_bytes())
        for _ in range(3):
            identity.look()
    assert used(identity) == first
    assert telemetry.certificate is not None
    assert telemetry.certificate.stale
    assert len(caplog.records) == 1
    Path(files.key).write_bytes(key.read_bytes())
    identity.look()
    identity.look()
    assert used(identity) != first
    assert not telemetry.certificate.stale


def test_files_that_are_gone_change_nothing_but_the_metric(
    identity: Identity, files: Files, telemetry: Telemetry, expect_log: ExpectLog
) -> None:
    expect_log("cannot read .*monitor.key: No such file or directory; the certificate read before stays")
    Path(files.key).unlink()
    identity.look()
    identity.look()
    assert telemetry.certificate is not None
    assert telemetry.certificate.stale


def test_an_expired_certificate_is_used_and_said_to_be(
    files: Files, telemetry: Telemetry, expect_log: ExpectLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.server.tls.time.time", lambda: 4e9)
    expect_log("has expired; browsers refuse it")
    assert used(Identity(files, telemetry))


def encrypt(key: Path) -> None:
    command = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:secret"]
    key.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WRONG: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "no certificate": (lambda certificate, _key: certificate.unlink(), "cannot read .*crt: No such file"),
    "no key": (lambda _certificate, key: key.unlink(), "cannot read .*key: No such file"),
    "a folder": (lambda _certificate, key: become_folder(key), "cannot read .*key: Is a directory"),
    "no PEM": (
        lambda certificate, _key: certificate.write_text("x"),
        "crt is no certificate in PEM: no cert",
    ),
    "half a certificate": (
        lambda certificate, _key: certificate.write_text(certificate.read_text()[:300]),
        "crt is no certificate in PEM",
    ),
    "a key that is none": (
        lambda _certificate, key: key.write_text("x"),
        "cannot use .*crt with the key .*key",
    ),
    "two that do not match": (
        lambda certificate, key: key.write_bytes(pair(certificate.parent, "other")[1].read_bytes()),
        "the key .*key does not belong to the certificate .*crt",
    ),
    "a key with a password": (lambda _certificate, key: encrypt(key), "has a password.*openssl pkey"),
    "a key for all to read": (
        lambda _certificate, key: key.chmod(0o644),
        r"is open to others \(mode 0644\): run chmod 640 .*key",
    ),
    "a key for the group to write": (lambda _certificate, key: key.chmod(0o660), "open to others"),
}


@pytest.mark.parametrize("case", WRONG)
def test_files_that_cannot_be_used_are_named_with_the_reason(
    tmp_path: Path, telemetry: Telemetry, case: str
) -> None:
    certificate, key = pair(tmp_path)
    spoil, said = WRONG[case]
    spoil(certificate, key)
    with pytest.raises(TlsError, match=said):
        Identity(Files(str(certificate), str(key)), telemetry)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_key_may_be_read_by_its_owner_and_its_group(files: Files, telemetry: Telemetry, mode: int) -> None:
    Path(files.key).chmod(mode)
    assert used(Identity(files, telemetry))


@pytest.fixture
def members(tmp_path: Path) -> tuple[Path, Path]:
    """The certificate and key of a viewer, and of the authority that made it: itself."""
    certificate, key = tmp_path / "viewer.crt", tmp_path / "viewer.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=viewer -days 2"
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run([*command.split(), *files], capture_output=True, check=True)
    return certificate, key


class TestClientCertificates:
    @pytest.fixture
    def files(self, tmp_path: Path, members: tuple[Path, Path]) -> Files:
        certificate, key = pair(tmp_path)
        return Files(str(certificate), str(key), str(members[0]))

    @pytest.mark.gen_test
    async def test_who_shows_one_comes_in(self, port: int, files: Files, members: tuple[Path, Path]) -> None:
        context = trusting(Path(files.certificate))
        context.load_cert_chain(*members)
        assert (await shown(port, context))[0].endswith(b"https 127.0.0.1")

    @pytest.mark.gen_test
    async def test_nobody_comes_in_without_one(self, port: int, files: Files, telemetry: Telemetry) -> None:
        assert await refused(port, trusting(Path(files.certificate)))
        await until(lambda: telemetry.handshakes_failed == 1)

    @pytest.mark.gen_test
    async def test_one_of_another_authority_is_refused(self, port: int, files: Files, tmp_path: Path) -> None:
        context = trusting(Path(files.certificate))
        context.load_cert_chain(*pair(tmp_path, "stranger"))
        assert await refused(port, context)

    def test_authorities_that_cannot_be_read_are_named(self, files: Files, telemetry: Telemetry) -> None:
        Path(files.client_ca).write_text("x")
        with pytest.raises(TlsError, match=r"cannot read authorities from .*viewer.crt"):
            Identity(files, telemetry)
