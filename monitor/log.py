"""The service's log on standard error: lines for people, one JSON object a line for programs, or entries with
fields where that is the journal."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TextIO

from monitor import journal

OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""What every record has; the rest was given as `extra`."""

OF_PEERS = "tornado.general"
"""Where Tornado notes every request that is malformed: a line each, which peers could fill the log with."""


def set_up(
    level: str, form: str, stream: TextIO | None = None, logger: logging.Logger = logging.root
) -> None:
    """Write all records from `level` on; what was set up before is replaced.

    `form` is `text`, `json`, or `auto`: the journal's own where the stream leads there, else text.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    to_journal = form == "auto" and journal.is_journal(stream, os.environ)
    for old in logger.handlers:
        if isinstance(old, JournalHandler):
            old.close()
    logger.handlers[:] = [JournalHandler(handler) if to_journal else handler]
    logger.setLevel(level.upper())
    least = logging.DEBUG if logger.level <= logging.DEBUG else max(logger.level, logging.WARNING)
    logging.getLogger(OF_PEERS).setLevel(least)


def timestamp(record: logging.LogRecord) -> str:
    """RFC 3339, in UTC, to the millisecond."""
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in OWN}


def printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class TextFormatter(logging.Formatter):
    """`2026-01-01T00:00:00.000Z INFO monitor.app: text key=value`.

    Control characters in the text are shown escaped, so that no peer can forge a line or steer a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in extras(record).items())
        line = f"{timestamp(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return f"{printable(line)}\n{trace}" if trace else printable(line)


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, exception where there is one, and what was given
    as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            **extras(record),
            "time": timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False)


class JournalHandler(logging.Handler):
    """Entries of the journal: the message, where it was written, and what was given as `extra` as fields
    MONITOR_...; while the journal takes none, they go the other way."""

    def __init__(self, otherwise: logging.Handler) -> None:
        super().__init__()
        self.otherwise = otherwise
        self.journal = journal.Journal()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.journal.send(self.fields(record))
        except OSError:
            self.otherwise.handle(record)

    def fields(self, record: logging.LogRecord) -> dict[str, str]:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        message = printable(record.getMessage())
        return {
            **{journal.name(f"monitor_{key}"): str(value) for key, value in extras(record).items()},
            "MESSAGE": f"{message}\n{trace}" if trace else message,
            "PRIORITY": str(journal.priority(record.levelno)),
            "SYSLOG_IDENTIFIER": "monitor",
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            "MONITOR_LOGGER": record.name,
        }

    def close(self) -> None:
        self.journal.close()
        super().close()
