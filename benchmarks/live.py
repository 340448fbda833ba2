"""Engines side by side while the same rows come in once a second: what that costs, and what a kill takes."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable
from urllib.parse import urlencode

from benchmarks import netdata
from benchmarks.anchors import Anchor, checked, connect
from benchmarks.disk import Volume, size, volume
from benchmarks.options import progress
from benchmarks.past import Past, series_text
from benchmarks.server import Server, running
from benchmarks.target import Target

MEBIBYTE = 1 << 20
SURE = 0.5
"""Seconds before a kill in which a row may have been served that nobody was told is kept."""
SETTLE = 3.0
"""Seconds from the start until costs are counted."""
SEED = 5
Figures = dict[str, float]


class Cost(NamedTuple):
    """What a server has used so far."""

    cpu: float
    written: int


class Mark:
    """The costs of a server over a stretch of time."""

    def __init__(self, server: Server, place: Volume) -> None:
        self._server, self._place = server, place
        self._before = self._cost()

    def figures(self, samples: int) -> Figures:
        """Microseconds and bytes for each sample; and memory at the end, MiB."""
        now = self._cost()
        return {
            "cpu": (now.cpu - self._before.cpu) / samples * 1e6,
            "written": (now.written - self._before.written) / samples,
            "resident": self._server.resident() / MEBIBYTE,
            "kept": size(self._place.folder / "data") / samples,
        }

    def _cost(self) -> Cost:
        written = self._place.written() if self._place.alone else told_written(self._server.pid)
        return Cost(self._server.cpu(), written)


def told_written(pid: int) -> int:
    """Bytes that a process had the kernel write, less what was deleted before it was (proc(5), io)."""
    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(lines["write_bytes"]) - int(lines["cancelled_write_bytes"])


class Contestant(Protocol):
    """An engine that the rows of a recording come to, once a second."""

    name: str

    def serve(self, folder: Path) -> AbstractContextManager[Server]:
        """Running in a folder, and ready for questions."""


@runtime_checkable
class Answerable(Contestant, Protocol):
    """One that is killed, and asked what is there then."""

    def ready(self, waited: float) -> float:
        """Seconds that its start took, of those that we waited."""

    def lost(self, server: Server, first: float, last: float) -> int:
        """Rows of a stretch of Unix time that were taken, and are not there any more."""


class Scraping:
    """An anchor that scrapes: what was served to it counts as taken."""

    def __init__(self, anchor: Anchor, target: Target) -> None:
        self.name = anchor.name
        self._anchor, self._target = anchor, target
        self._chosen = series_text(Past(target.recording, 0, 1).varying())

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Server]:
        with self._anchor.server(folder, self._target.port) as server:
            server.wait_until(self._anchor.ready)
            yield server

    def ready(self, waited: float) -> float:
        return waited

    def lost(self, server: Server, first: float, last: float) -> int:
        connection = connect(server)
        query = f"{self._chosen}[{round(time.time() - first) + 10}s]"
        connection.request("GET", "/api/v1/query?" + urlencode({"query": query}))
        result = json.loads(checked(connection))["data"]["result"]
        connection.close()
        there: int = sum(first < at <= last for one in result for at, _ in one["values"])
        return max(0, self._target.between(self.name, first, last - SURE) - there)


class Fed:
    """Netdata: fed by a plugin of its own, and not asked what it took."""

    name = netdata.NAME

    def __init__(self, recording: Path) -> None:
        self._recording = recording

    def serve(self, folder: Path) -> AbstractContextManager[Server]:
        return netdata.server(folder, self._recording)


class Ours:
    """Our history in a process of its own, or its memory alone; it tells after each row what is sure."""

    def __init__(
        self, recording: Path, talk: Path, environment: Mapping[str, str], *flags: str, name: str = "ours"
    ) -> None:
        """What it tells goes into the folder `talk`, on another device than what it keeps."""
        self.name = name
        self._talk = talk
        self._recording, self._flags, self._environment = recording, flags, environment
        self._began = int(time.time())
        self._told: list[Path] = []

    @contextmanager
    def serve(self, folder: Path) -> Iterator[Server]:
        now = int(time.time()) + 1
        rows = (
            "--start",
            str(now * 1000),
            "--first",
            str(now - self._began),
            "--since",
            str(self._began * 1000),
        )
        program = [sys.executable, "-m", "benchmarks.keeping", str(folder / "data"), str(self._recording)]
        place = self._talk / f"{self.name}-{len(self._told)}"
        place.mkdir(parents=True)
        self._told.append(place / "server.log")
        with running([*program, *rows, *self._flags], 0, place, self._environment) as server:
            while not self.said("opened"):
                if server.process.poll() is not None:
                    raise RuntimeError(f"our history ended: {self._told[-1].read_text()[-2000:]}")
                time.sleep(0.005)
            yield server

    def ready(self, waited: float) -> float:  # noqa: ARG002
        return float(self.said("opened")[0])

    def lost(self, server: Server, first: float, last: float) -> int:  # noqa: ARG002
        before = self._words(-2)
        sure = max(each.get("sure", 0) for each in before)
        taken = {each["appended"] for each in before if "appended" in each and each["appended"] <= sure}
        return len(taken - set(self._words(-1)[0]["there"]))

    def said(self, word: str) -> list[float]:
        """All that the newest process told under a word."""
        return [each[word] for each in self._words(-1) if word in each]

    def _words(self, run: int) -> list[dict[str, Any]]:
        lines = self._told[run].read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]


class Death(NamedTuple):
    """A kill at `last`, in Unix time, of what ran since `first`, and the seconds that its next start took."""

    first: float
    last: float
    waited: float


class Runs:
    """A contestant on a volume of its own, over kills and starts."""

    def __init__(self, contestant: Contestant, place: Volume) -> None:
        self.contestant, self.place = contestant, place
        self._stack = ExitStack()
        self._first = time.time()
        self.server = self._stack.enter_context(contestant.serve(place.folder))

    def kill(self) -> Death:
        """Kill it and start it again."""
        self.server.process.kill()
        self.server.process.wait()
        first, self._first = self._first, time.time()
        self._stack.close()
        began = time.monotonic()
        self.server = self._stack.enter_context(self.contestant.serve(self.place.folder))
        return Death(first, self._first, time.monotonic() - began)

    def close(self) -> None:
        self._stack.close()


def side_by_side(
    contestants: Sequence[Contestant], folder: Path, series: int, seconds: float, kills: int, calm: float
) -> dict[str, Figures]:
    """Figures by name: costs over so many seconds, then what kills take, up to `calm` seconds apart."""
    draw = random.Random(SEED)
    with ExitStack() as stack:
        runs = []
        for each in contestants:
            run = Runs(each, stack.enter_context(volume(folder / each.name)))
            stack.callback(run.close)
            runs.append(run)
        time.sleep(min(SETTLE, seconds))
        marks = {run.contestant.name: Mark(run.server, run.place) for run in runs}
        progress(f"{', '.join(marks)}, side by side for {seconds / 60:.1f} minutes")
        began = time.monotonic()
        time.sleep(seconds)
        samples = max(1, round(time.monotonic() - began)) * series
        found = {name: mark.figures(samples) for name, mark in marks.items()}
        for run in runs:
            if isinstance(run.contestant, Answerable):
                pauses = [calm * draw.random() for _ in range(kills)]
                kill(run, run.contestant, found[run.contestant.name], pauses)
    return found


def kill(run: Runs, asked: Answerable, figures: Figures, pauses: Sequence[float]) -> None:
    """Note what kills take, and how long the first start takes, after all that was in the log."""
    figures["lost"] = 0
    for number, pause in enumerate(pauses):
        time.sleep(pause)
        death = run.kill()
        if not number:
            figures["ready"] = asked.ready(death.waited)
        figures["lost"] += asked.lost(run.server, death.first, death.last)
