"""History: bytes, time and what a kill takes, beside Prometheus, VictoriaMetrics and Netdata.

A recording of real series (`python -m benchmarks.record`) is put into each, then comes to each live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import live, netdata, ours, record
from benchmarks.anchors import Anchor, checked, connect, here, newest, several
from benchmarks.disk import forget
from benchmarks.live import Contestant, Fed, Figures, Ours, Scraping
from benchmarks.options import Options, progress
from benchmarks.past import Past
from benchmarks.recording import Recording, copied, load
from benchmarks.row import Row
from benchmarks.server import compiled
from benchmarks.target import serving

POINTS = 1000
SOME = 50
ALIGNED = 7200
"""Seconds: the past ends where a block of Prometheus does."""
PAST = (
    ("raw", "samples alone, on disk: a sample", "bytes", 0.63),
    ("all", "all that is kept, tiers, index and names: a sample", "bytes", 0.72),
    ("day", "1 series, all the time, min, max and average at 1,000 points", "ms", 1.5),
    ("day, cold", "1 series, the same after a start, files not in memory", "ms", None),
    ("day of samples", "1 series, the same from samples alone, as if there were no tiers", "ms", None),
    ("some", "50 series, the last hour at 1,000 points", "ms", 8.0),
    ("newest", "the last value of every series", "ms", 0.1),
)
LIVE = (
    ("written", "live: bytes written to the device, a sample", "bytes", 4.0),
    ("cpu", "live: CPU of the whole process, a sample", "us", None),
    ("beyond", "live: CPU, a sample (ours: beyond the same process without history)", "us", 0.5),
    ("resident", "live: resident memory (ours: beyond the same process without history)", "MiB", 25.0),
    ("ready", "start after a kill, with what was in the log (ours: the store alone)", "s", 0.3),
    ("lost", "rows taken that are not there after kills", "rows", 0.0),
)


def rows(options: Options) -> Iterator[Row]:
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        kept, recording = recorded(options, folder)
        progress(f"recording: {recording.about}")
        anchors = here(options.anchors)
        past = Past(recording, begin(options.hours), options.hours)
        yield from beside(PAST, "ours", stored(past, anchors, folder, options.runs))
        yield from beside(LIVE, "ours", alive(kept, recording, anchors, folder, options))
        yield slot_closed(recording, folder, options)


def slot_closed(recording: Recording, folder: Path, options: Options) -> Row:
    """How late ticks are while a slot closes."""
    wide, rows = copied(recording, options.copies), options.slot
    progress(f"closing a slot of {len(wide):,} series and {rows} rows")
    quiet = ours.delays(wide, folder / "quiet", rows, closing=False)
    late = ours.delays(wide, folder / "closing", rows, closing=True)
    text = f"history, a slot of {len(wide):,} series is closed: 99 of 100 ticks are late by at most"
    return Row(text, late, "ms", "none is closed", quiet, most=5)


def recorded(options: Options, folder: Path) -> tuple[Path, Recording]:
    """The recording asked for, or one of this host made now."""
    if options.recording:
        return options.recording, load(options.recording)
    progress(f"no --recording: this host is recorded, {options.recorded} rows")
    path = folder / "recording.npz"
    record.chosen(*record.taken(options.recorded, options.interval)).save(path)
    return path, load(path)


def begin(hours: float) -> int:
    """The first time (ms), so that the last is the newest past one that suits Prometheus."""
    return (int(time.time()) // ALIGNED * ALIGNED - round(hours * 3600)) * 1000 + 500


def beside(
    told: tuple[tuple[str, str, str, float | None], ...], name: str, found: Mapping[str, Figures]
) -> Iterator[Row]:
    """A row for each figure and each engine that has it."""
    for key, title, unit, most in told:
        own, text = found[name][key], f"history, {title}"
        others = {other: figures[key] for other, figures in found.items() if other != name and key in figures}
        if not others:
            yield Row(text, own, unit, most=most)
        for other, value in others.items():
            yield Row(text, own, unit, other, value, most=most)


def stored(past: Past, anchors: list[Anchor], folder: Path, runs: int) -> dict[str, Figures]:
    """Figures of a past that is there as a whole."""
    progress(f"ours: {past.samples:,} samples")
    place = folder / "ours"
    place.mkdir()
    ours.fill(past, place)
    found = {"ours": sized(*ours.sizes(place), past)}
    forget(place)
    with ours.opened(place, past.end) as (store, _):
        questions = ours.Questions(store, past, POINTS)
        asked = {"day": questions.day, "some": questions.some, "newest": questions.newest}
        found["ours"] |= answered(asked | {"day of samples": questions.day_of_samples}, runs)
    for anchor in anchors:
        progress(f"{anchor.name}: {past.samples:,} samples")
        found[anchor.name] = stored_by(anchor, past, folder / anchor.name, runs)
    return found


def stored_by(anchor: Anchor, past: Past, place: Path, runs: int) -> Figures:
    place.mkdir()
    anchor.load(past, place)
    found = sized(*anchor.sizes(place), past)
    forget(place)
    requests = {"day": anchor.day(past, POINTS), "some": several(past, SOME, POINTS), "newest": newest(past)}
    with anchor.server(place) as server:
        server.wait_until(anchor.ready)
        with closing(connect(server)) as connection:
            asked = {name: partial(length, connection, paths) for name, paths in requests.items()}
            found |= answered(asked, runs)
    return found | {"day of samples": found["day"]}


def length(connection: HTTPConnection, paths: list[str]) -> int:
    """Bytes of the answers to requests."""
    whole = 0
    for path in paths:
        connection.request("GET", path)
        whole += len(checked(connection))
    return whole


def sized(alone: int, whole: int, past: Past) -> Figures:
    return {"raw": alone / past.samples, "all": whole / past.samples}


def answered(questions: Mapping[str, Callable[[], int]], runs: int) -> Figures:
    """Milliseconds of each question, the median; the first of all is asked cold."""
    found: Figures = {}
    for name, ask in questions.items():
        first, *rest = [timed(ask) for _ in range(1 + 3 * runs)]
        found |= {name: median(rest), f"{name}, cold": first}
    return found


def timed(ask: Callable[[], int]) -> float:
    began = time.perf_counter()
    if not ask():
        raise ValueError("an engine of the history answers with nothing")
    return (time.perf_counter() - began) * 1000


def alive(
    kept: Path, recording: Recording, anchors: list[Anchor], folder: Path, options: Options
) -> dict[str, Figures]:
    """Figures of engines that rows come to, a second apart."""
    bare, talk = "without history", folder / "talk"
    with serving(recording) as target, compiled() as environment:
        contestants: list[Contestant] = [
            Ours(kept, talk, environment),
            Ours(kept, talk, environment, "--bare", name=bare),
        ]
        contestants += [Scraping(anchor, target) for anchor in anchors]
        if netdata.NAME in options.anchors and not netdata.missing():
            contestants.append(Fed(kept))
        found = live.side_by_side(
            contestants, folder / "live", len(recording), options.live * 60, options.kills, options.calm
        )
    without = found.pop(bare)
    found["ours"]["resident"] -= without["resident"]
    for figures in found.values():
        figures["beyond"] = figures["cpu"]
    found["ours"]["beyond"] -= without["cpu"]
    return found
