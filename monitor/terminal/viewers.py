"""`monitor viewers`: who watches a running service, as a table; and the way to cut one."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO
from urllib.parse import quote

from monitor.terminal.service import ServiceError, Shown, ask, nothing, refusal, stranger

PATH = "/api/viewers"
EVERY = 1.0
"""Seconds from one table to the next while watching."""
TOP, REST, LINE_END = "\x1b[H", "\x1b[J", "\x1b[K"
"""Cursor to the top left; clear what is below; clear to the end of the line (ECMA-48, 8.3)."""

Row = Mapping[str, Any]


def show(url: str, out: TextIO, shown: Shown = nothing) -> None:
    """Print the table once.  Raises ServiceError."""
    out.write("\n".join(table(*fetched(url, shown), time.time(), width(out))) + "\n")


def watch(
    url: str, out: TextIO, pause: Callable[[float], object] = time.sleep, shown: Shown = nothing
) -> None:
    """Print the table every second, each over the last on a terminal.  Raises ServiceError."""
    terminal = out.isatty()
    while True:
        lines = table(*fetched(url, shown), time.time(), width(out))
        end = f"{LINE_END}\n" if terminal else "\n"
        page = "".join(line + end for line in lines)
        out.write(f"{TOP}{page}{REST}" if terminal else f"{page}\n")
        out.flush()
        pause(EVERY)


def cut(url: str, session: str, out: TextIO, shown: Shown = nothing) -> None:
    """End one viewer's connection.  Raises ServiceError."""
    status, answer = ask(url, f"{PATH}/{quote(session, safe='')}", "DELETE", shown)
    if status == 404 and _code(answer) == "unknown_viewer":
        raise ServiceError(f"there is no viewer {plain(session)!r}; `monitor viewers` lists those there are")
    if status != 204:
        raise refusal(url, status, answer)
    out.write(f"cut {session}\n")


def _code(answer: Any) -> object:
    said = answer.get("error") if isinstance(answer, dict) else None
    return said.get("code") if isinstance(said, dict) else None


def fetched(url: str, shown: Shown = nothing) -> tuple[Sequence[Row], int]:
    """The rows, and how many viewers there are in all.  Raises ServiceError."""
    status, answer = ask(url, PATH, shown=shown)
    if status != 200:
        raise refusal(url, status, answer)
    if not isinstance(answer, dict) or not isinstance(answer.get("viewers"), list):
        raise stranger(url, status)
    return answer["viewers"], answer.get("total", len(answer["viewers"]))


def width(out: TextIO) -> int | None:
    """Columns of the terminal; None for a file, which takes lines of any length."""
    return shutil.get_terminal_size().columns if out.isatty() else None


def table(rows: Sequence[Row], total: int, now: float, most: int | None = None) -> list[str]:
    """Lines of text, none wider than `most`; `now` is the Unix time in seconds."""
    cells = [[plain(say(timed(row, now))) for _, say in COLUMNS] for row in rows]
    lines = [[title for title, _ in COLUMNS], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    drawn = ["  ".join(cell.ljust(wide) for cell, wide in zip(line, widths, strict=True)) for line in lines]
    more = f" (the first {len(rows)} are listed)" if total > len(rows) else ""
    counted = f"{total} {'viewer' if total == 1 else 'viewers'}{more}"
    return [line.rstrip()[:most] for line in [*drawn, counted]]


def timed(row: Row, now: float) -> Row:
    """The row with `here`, how long it has been here in ms, where that is known."""
    since = row.get("since")
    return {**row, "here": max(0, now * 1000 - since)} if isinstance(since, int | float) else row


def plain(name: str) -> str:
    """Text without what a terminal would obey: names come from strangers."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def duration(milliseconds: float) -> str:
    """`450 ms`, `12.3 s`, `2 min 5 s`, `3 h 20 min`, `4 d 3 h`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(int(milliseconds // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next(place for place, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2])


def size(count: float) -> str:
    """Bytes with a binary prefix."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def known(row: Row, name: str, say: Callable[[float], str] = duration) -> str:
    """A figure in words; a dash where it is not known."""
    value = row.get(name)
    return say(value) if isinstance(value, int | float) else "-"


def waiting(row: Row) -> str:
    return f"{known(row, 'waiting', size)}, {known(row, 'oldest')}" if row.get("waiting") else "-"


def text(name: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(name) or "-")


COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("SESSION", text("session")),
    ("ADDRESS", text("address")),
    ("STATE", text("state")),
    ("BOARD", text("board")),
    ("HERE FOR", lambda row: known(row, "here")),
    ("ROUND TRIP", lambda row: known(row, "round_trip")),
    ("RATE", lambda row: known(row, "rate", lambda rate: f"{size(rate)}/s")),
    ("LAG", lambda row: known(row, "lag")),
    ("SKIPPED", lambda row: known(row, "skipped", "{:.0f}".format)),
    ("WAITING", waiting),
    ("USER", text("user")),
    ("AGENT", text("agent")),
)
"""Title, and what stands below it; the agent last, where a narrow terminal ends."""
