"""The log's two forms."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from monitor import log

logger = logging.getLogger("monitor.example")
logger.propagate = False


def written(level: str, form: str) -> io.StringIO:
    stream = io.StringIO()
    log.set_up(level, form, stream, logger)
    return stream


def test_text_has_time_level_logger_and_what_was_given() -> None:
    stream = written("info", "text")
    logger.info("%d viewers", 3, extra={"peer": "::1"})
    time, rest = stream.getvalue().split(" ", 1)
    assert time[10] == "T"
    assert time.endswith("Z")
    assert rest == "INFO monitor.example: 3 viewers peer=::1\n"


def test_records_below_the_level_are_not_written() -> None:
    stream = written("warning", "text")
    logger.info("quiet")
    assert stream.getvalue() == ""


@pytest.fixture
def tornados() -> Iterator[logging.Logger]:
    """Tornado's log of what peers do, and its level put back afterwards."""
    found = logging.getLogger("tornado.general")
    level = found.level
    yield found
    found.setLevel(level)


@pytest.mark.parametrize(("level", "least"), [("debug", "DEBUG"), ("info", "WARNING"), ("error", "ERROR")])
def test_what_peers_do_wrong_fills_no_log_unless_everything_is_told(
    level: str, least: str, tornados: logging.Logger
) -> None:
    written(level, "text")
    assert logging.getLevelName(tornados.level) == least


def test_a_peer_cannot_forge_a_line() -> None:
    stream = written("info", "text")
    logger.info("refused %s", "a\nb\x1b[2J\u202e")
    assert stream.getvalue().endswith("refused a\\nb\\x1b[2J\\u202e\n")


def test_json_is_one_object_a_line() -> None:
    stream = written("debug", "json")
    logger.debug("line\nbreak", extra={"peer": "::1", "count": 2})
    (line,) = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "debug",
        "logger": "monitor.example",
        "message": "line\nbreak",
        "peer": "::1",
        "count": 2,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_brings_its_trace(form: str) -> None:
    stream = written("info", form)
    try:
        raise ValueError("odd")
    except ValueError:
        logger.info("failed", exc_info=sys.exc_info())
    assert "ValueError: odd" in stream.getvalue()
    assert "Traceback" in stream.getvalue()
