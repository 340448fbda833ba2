"""What happened to history itself and to what it watches: gaps and their reasons, steps of the clock.

One JSON object a line, in a file of the store; the newest are held in memory.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from monitor.model import Event

MOST = 10_000
"""Events that are kept."""


class Events:
    """Those of the past; `add` is for the event loop, `write` for the thread that may block."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._held: deque[Event] = deque(read(path) if path else (), MOST)
        self._unwritten: deque[Event] = deque(maxlen=MOST)

    def add(self, event: Event) -> None:
        self._held.append(event)
        self._unwritten.append(event)

    def between(self, start: int, end: int) -> list[Event]:
        """Those that touch start <= time <= end, by time."""
        held = self._held.copy()  # At once, while another thread may add.
        return sorted(event for event in held if event.time <= end and event.end >= start)

    def write(self) -> None:
        """Have the new ones in the file.  Raises OSError, and may be called again."""
        if not self._path or not self._unwritten:
            return
        events = list(self._unwritten)
        # The line before may have found no room to its end.
        lines = "".join(f"\n{json.dumps(event._asdict())}" for event in events)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(lines + "\n")
        for _ in events:
            self._unwritten.popleft()
        if self._path.stat().st_size > MOST * 1024:
            self._shorten()

    def _shorten(self) -> None:
        assert self._path
        new = self._path.with_suffix(".new")
        new.write_text("".join(json.dumps(event._asdict()) + "\n" for event in self._held), encoding="utf-8")
        new.replace(self._path)


def read(path: Path) -> Iterator[Event]:
    """The events of a file; a line that is none, as a power cut leaves one, is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines[-MOST:]:
        try:
            found = json.loads(line)
            yield Event(int(found["time"]), int(found["end"]), str(found["kind"]), str(found["text"]))
        except (ValueError, TypeError, KeyError):
            continue
