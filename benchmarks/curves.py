"""Curves of memory: over the number of viewers, beside some that stop reading, while viewers come and go.

Viewers follow the overview and acknowledge as the page does.  What the kernel keeps for a connection is no
resident memory of the server, but it is memory: where somebody stops reading, both are counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

from benchmarks import generator
from benchmarks.beside import PATIENT
from benchmarks.fanout import BASELINES, DEFLATE
from benchmarks.options import Options, progress
from benchmarks.plot import Curve, Plot, svg
from benchmarks.row import Row
from benchmarks.server import Server, free_port, monitor, running
from benchmarks.viewer import newest_tick

KIB, MB = 1024, 1e6
EVERY = 0.5
"""Seconds between two looks."""
HEALTHY = 1 / 6
"""The share of the time before anybody stops reading."""
LATE = 60
"""Looks whose median is the memory at the end."""
CHURN = 20
"""Of so many viewers, one a second is replaced."""
OURS, TORNADO, WEBSOCKETS = "the service", "Tornado write_message", "websockets broadcast()"
UNPINGED = "Tornado write_message, no pings"
KEEPING = "the service, told to keep them"
COMING, STAYING = "viewers come and go", "as many stay"
PAGE = (*generator.VIEWERS, *DEFLATE)
Points = list[tuple[float, float]]


class Contestant(NamedTuple):
    serve: Callable[[Path], AbstractContextManager[Server]]
    """A fresh server, with a folder for its files."""
    viewers: Sequence[str]
    """Options of their load."""


def rows(options: Options) -> Iterator[Row]:
    with generator.built("wsload") as programs, TemporaryDirectory(prefix="bench-") as name:
        payload = Path(name) / "tick.json"
        with service(Path(name)) as server:
            payload.write_text(newest_tick(server), encoding="utf-8")
        for measured in (idle, stalled, soak):
            yield from measured(programs["wsload"], payload, options)


@contextmanager
def service(folder: Path, websocket: Mapping[str, str] | None = None) -> Iterator[Server]:
    with monitor(folder, websocket) as server:
        server.wait_until("/readyz")
        yield server


def baseline(script: str, payload: Path, *flags: str) -> Contestant:
    """A server that is given the text of a tick."""

    @contextmanager
    def serve(folder: Path) -> Iterator[Server]:
        port = free_port()
        command = [sys.executable, str(BASELINES / script), str(port), str(payload), *flags]
        with running(command, port, folder) as server:
            server.wait_for_port()
            yield server

    return Contestant(serve, ("--path", "/ws"))


def idle(program: str, payload: Path, options: Options) -> Iterator[Row]:
    """Resident memory as more and more viewers look on."""
    contestants = {OURS: Contestant(service, PAGE), TORNADO: baseline("tornado_server.py", payload)}
    if find_spec("websockets"):
        contestants[WEBSOCKETS] = baseline("websockets_server.py", payload)
    else:
        progress("left out: websockets (pip install websockets)")
    curves = {name: growing(program, each, options) for name, each in contestants.items()}
    slopes = {name: linear_regression(*zip(*curve, strict=True)).slope for name, curve in curves.items()}
    each = {name: slope * MB / KIB for name, slope in slopes.items()}
    told = "; ".join(f"{name} {size:.1f} KiB" for name, size in each.items())
    draw(
        options,
        "memory-viewers",
        "Memory over the number of viewers",
        f"Resident memory while viewers look on, once a second a tick. A viewer more: {told}.",
        "viewers",
        "resident memory, MB",
        curves,
    )
    for name in contestants.keys() - {OURS}:
        title = f"0 to {options.idle[-1]:,} viewers: resident memory for one more"
        yield Row(title, each[OURS], "KiB", name, each[name], most=20)


def growing(program: str, contestant: Contestant, options: Options) -> Points:
    """MB, by the number of viewers."""
    points: Points = []
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        contestant.serve(Path(folder)) as server,
        ExitStack() as viewers,
    ):
        come = partial(generator.held, program, server)
        for before, count in pairwise((0, *options.idle)):
            if count > before:
                viewers.enter_context(come(count - before, options.settle, *contestant.viewers))
            points.append((count, server.resident() / MB))
            progress(f"{count} viewers: {points[-1][1]:.1f} MB")
    return points


def stalled(program: str, payload: Path, options: Options) -> Iterator[Row]:
    """What is held for a crowd of which one half stops reading."""
    contestants = {
        OURS: Contestant(service, PAGE),
        UNPINGED: baseline("tornado_server.py", payload, "unpinged"),
        KEEPING: Contestant(partial(service, websocket=PATIENT), PAGE),
    }
    seconds = options.stalled_seconds
    stall = ("--stall-pct", "50", "--stall-after", str(seconds * HEALTHY), "--rcvbuf", "4096")
    curves = {}
    for name, (serve, viewers) in contestants.items():
        progress(f"{name}: half of {options.crowd} viewers stop reading")
        with TemporaryDirectory(prefix="bench-") as folder, serve(Path(folder)) as server:
            loaded = partial(generator.load, program, server, options.crowd, *viewers, *stall)
            times = ("--settle", str(options.settle), "--duration", str(seconds))
            curves[name] = watched(lambda: server.resident() + server.waiting(), partial(loaded, *times))
    stopped, ended = options.settle + seconds * HEALTHY, options.settle + seconds
    grown = {name: grown_between(curve, stopped, ended) for name, curve in curves.items()}
    draw(
        options,
        "memory-stalled",
        f"Memory beside viewers that stop reading ({options.crowd // 2} of {options.crowd})",
        "What is held since they stopped: resident memory and what the kernel keeps for the connections.",
        "seconds since they stopped",
        "grown by, MB",
        grown,
    )
    title = f"{options.crowd // 2} of {options.crowd} viewers stop reading for {seconds:g} s: memory grows by"
    for name in (OURS, KEEPING):
        yield Row(f"{title} ({name})", grown[name][-1][1], "MB", UNPINGED, grown[UNPINGED][-1][1])


def grown_between(curve: Points, begin: float, end: float) -> Points:
    """What was added since one moment, until another: nothing where less is held than at first."""
    within = [(at, size) for at, size in curve if begin <= at < end - EVERY] or curve[-1:]
    began, base = within[0]
    return [(at - began, max(0.0, size - base)) for at, size in within]


def soak(program: str, _payload: Path, options: Options) -> Iterator[Row]:
    """Resident memory while viewers come and go, and while as many stay."""
    crowd, churn = options.crowd, options.crowd / CHURN
    progress(
        f"{crowd} viewers for {options.soak:g} minutes, first the same, then {churn:g} a second replaced"
    )
    staying = lasting(program, options)
    curves = {COMING: lasting(program, options, "--churn", str(churn)), STAYING: staying}
    draw(
        options,
        "memory-soak",
        f"Memory while viewers come and go ({crowd} at a time)",
        f"Resident memory of the service; {churn:g} viewers a second are cut and as many come, or all stay.",
        "minutes",
        "resident memory, MB",
        curves,
    )
    ours, others = (median(size for _, size in curve[-LATE:]) for curve in curves.values())
    title = f"{crowd} viewers, {churn:g} a second replaced: resident memory after {options.soak:g} min"
    yield Row(title, ours, "MB", STAYING, others)
    later = {name: late_growth(curve) for name, curve in curves.items()}
    title = f"{crowd} viewers, {churn:g} a second replaced: growth in the second half of the time"
    yield Row(title, later[COMING], "MB", STAYING, later[STAYING])


def late_growth(curve: Points) -> float:
    """MB from the middle to the end."""
    return max(0.0, curve[-1][1] - curve[len(curve) // 2][1])


def lasting(program: str, options: Options, *flags: str) -> Points:
    """MB by the minutes that a crowd is there."""
    times = ("--settle", str(options.settle), "--duration", str(options.soak * 60))
    with TemporaryDirectory(prefix="bench-") as folder, service(Path(folder)) as server:
        load = partial(generator.load, program, server, options.crowd, *PAGE, *times, *flags)
        return [(at / 60, size) for at, size in watched(server.resident, load)]


def watched(size: Callable[[], float], work: Callable[[], object]) -> Points:
    """MB, by the seconds since the beginning, for as long as the work takes."""
    began, end = time.monotonic(), Event()
    points: Points = []

    def watch() -> None:
        while True:
            points.append((time.monotonic() - began, size() / MB))
            if end.wait(EVERY):
                return

    thread = Thread(target=watch)
    thread.start()
    try:
        work()
    finally:
        end.set()
        thread.join()
    return points


def draw(
    options: Options, name: str, title: str, description: str, x: str, y: str, curves: Mapping[str, Points]
) -> None:
    """Into the folder for images, if there is one."""
    if options.images is not None:
        plot = Plot(title, description, x, y, [Curve(*curve) for curve in curves.items()])
        (options.images / f"{name}.svg").write_text(svg(plot), encoding="utf-8")
