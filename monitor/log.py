"""The service's log: lines for people, or one JSON object a line for programs, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
"""What every record has; the rest was given as `extra`."""


def set_up(
    level: str, form: str, stream: TextIO | None = None, logger: logging.Logger = logging.root
) -> None:
    """Write all records from `level` on, as `text` or `json`; what was set up before is replaced."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())


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
        line = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
        )
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return f"{line}\n{trace}" if trace else line


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
