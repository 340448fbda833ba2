"""The names of users: passwd(5) of the host, read as a file, as a directory server may take its time."""

from __future__ import annotations

from pathlib import Path

EVERY = 60.0


class Users:
    """Names by number, read again after a minute."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._names: dict[int, str] = {}
        self._due = 0.0

    def refresh(self, now: float) -> None:
        """Read the names, if it is time; `now` in seconds."""
        if now < self._due:
            return
        self._due = now + EVERY
        try:
            text = self._path.read_text(errors="replace")
        except OSError:
            text = ""
        lines = [line.split(":") for line in text.splitlines()]
        self._names = {int(line[2]): line[0] for line in lines if len(line) > 2 and line[2].isdigit()}

    def name(self, number: int | None) -> str:
        """That of a user; the number where there is no name, empty where that is not known either."""
        return "" if number is None else self._names.get(number) or str(number)
