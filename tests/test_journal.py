"""Entries of the journal, as a real socket receives them."""

from __future__ import annotations

import array
import io
import logging
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import journal, log
from tests.conftest import ExpectLog

logger = logging.getLogger("monitor.example")
logger.propagate = False


class Journald:
    """A socket such as journald's."""

    def __init__(self, address: Path) -> None:
        self.address = str(address)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.socket.settimeout(10)

    def next(self) -> dict[str, str]:
        """The fields of the next entry, whether it came as a datagram or as a file."""
        data, rights, _, _ = self.socket.recvmsg(1 << 20, 64)
        if rights:
            (descriptor,) = array.array("i", rights[0][2])
            with os.fdopen(descriptor, "rb") as file:
                file.seek(0)
                data = file.read()
        return dict(fields(data))


def fields(data: bytes) -> Iterator[tuple[str, str]]:
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", data)
            value, data = data[8 : 8 + size], data[9 + size :]
        yield name.decode(), value.decode()


@pytest.fixture
def journald(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journald]:
    held = Journald(tmp_path / "socket")
    monkeypatch.setattr(journal, "ADDRESS", held.address)
    with held.socket:
        yield held


@pytest.fixture
def stream(tmp_path: Path, journald: Journald, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOBase]:
    """A log that is set up on a file which the environment says to be the journal."""
    with (tmp_path / "stderr").open("w+") as file:
        found = os.fstat(file.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        log.set_up("debug", "auto", file, logger)
        yield file
        for handler in logger.handlers:
            handler.close()
        logger.handlers.clear()


def test_an_entry_has_fields(stream: io.TextIOBase, journald: Journald, expect_log: ExpectLog) -> None:
    expect_log("3 viewers")
    logger.warning("%d viewers", 3, extra={"peer": "::1", "odd-name": 1.5})
    entry = journald.next()
    line = entry.pop("CODE_LINE")
    assert line.isdigit()
    assert entry == {
        "MESSAGE": "3 viewers",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "monitor",
        "CODE_FILE": __file__,
        "CODE_FUNC": "test_an_entry_has_fields",
        "MONITOR_LOGGER": "monitor.example",
        "MONITOR_PEER": "::1",
        "MONITOR_ODD_NAME": "1.5",
    }
    stream.seek(0)
    assert stream.read() == ""


def test_a_peer_can_forge_neither_a_line_nor_a_field(stream: io.TextIOBase, journald: Journald) -> None:
    logger.info("refused %s", "a\nPRIORITY=0\x1b[2J", extra={"peer": "b\nMESSAGE=c"})
    entry = journald.next()
    assert entry["MESSAGE"] == "refused a\\nPRIORITY=0\\x1b[2J"
    assert entry["PRIORITY"] == "6"
    assert entry["MONITOR_PEER"] == "b\nMESSAGE=c"


def test_an_exception_brings_its_trace(stream: io.TextIOBase, journald: Journald) -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        logger.info("failed", exc_info=True)
    message = journald.next()["MESSAGE"]
    assert message.startswith("failed\nTraceback")
    assert message.endswith("ValueError: odd")


def test_an_entry_of_any_size_arrives(stream: io.TextIOBase, journald: Journald) -> None:
    logger.info("x" * (1 << 20))
    assert len(journald.next()["MESSAGE"]) == 1 << 20


def test_without_journald_the_text_goes_the_other_way(stream: io.TextIOBase, journald: Journald) -> None:
    Path(journald.address).unlink()
    logger.info("alone")
    stream.seek(0)
    assert stream.read().endswith("INFO monitor.example: alone\n")


@pytest.mark.parametrize(
    ("level", "expected"),
    [(logging.CRITICAL, 2), (logging.ERROR, 3), (logging.INFO, 6), (logging.DEBUG, 7), (35, 4)],
)
def test_levels_become_priorities(level: int, expected: int) -> None:
    assert journal.priority(level) == expected


def test_a_stream_that_is_another_is_no_journal(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert not journal.is_journal(file, {"JOURNAL_STREAM": "1:2"})
        assert not journal.is_journal(file, {})
    assert not journal.is_journal(io.StringIO(), {"JOURNAL_STREAM": "1:2"})
