"""What goes wrong with what is measured: each fault is seen, spares the rest, stores nothing wrong, and ends.

The real service looks at a copy of recorded machines, whose files are broken and mended under it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from benchmarks.crowd import crowd
from tests.collect.systemd_bus import SOCKET, bus
from tests.faults.figures import asked
from tests.faults.options import Options, progress
from tests.faults.row import Row, within
from tests.service import Service

TITLE = "H2: sources that are broken under the service"
ROUNDS, PROCESSES = 5, 5000
FIXTURES = Path(__file__).parents[1] / "collect" / "fixtures"
SETTINGS = {
    "COLLECT__INTERVAL": "500ms",
    "COLLECT__COLLECTORS__TEXTFILE__DIRECTORY": "/text",
    "COLLECT__COLLECTORS__SYSTEMD__ENABLED": "true",
    "COLLECT__COLLECTORS__SYSTEMD__EVERY": "1s",
    "COLLECT__COLLECTORS__SYSTEMD__TIMEOUT": "500ms",
}
REAL = {
    "COLLECT__INTERVAL": "1s",
    "COLLECT__COLLECTORS__PROCESS_GROUPS__INTERVAL": "1s",
    "COLLECT__COLLECTORS__PROCESS_GROUPS__GROUPS": "1000",
}
BOUND = 15.0
"""Seconds within which a fault is seen, and its end: sensors are asked every five seconds."""
WARM = 180.0
"""Seconds within which thousands more are known: each pass meets some eighty, less often over the budget."""
HELD_UP = 0.25
"""Seconds that a look at thousands may take of a pass."""
PATIENCE = 30.0
LOOK = 0.2
FAILS = "/proc/self/mem"
"""Reading it at its beginning is answered by EIO."""

Figures = Mapping[str, float]


class Scene:
    """A service over files that are there to be broken."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service

    def figures(self) -> dict[str, float]:
        """What /metrics says."""
        return asked(self.service.url, PATIENCE)

    def until(self, wanted: Callable[[Figures], bool], patience: float = PATIENCE) -> float:
        """Seconds until the figures are as wanted."""
        began = time.monotonic()
        while not wanted(self.figures()):
            assert time.monotonic() - began < patience, "never"
            time.sleep(LOOK)
        return time.monotonic() - began

    def ever(self, query: str) -> list[float]:
        """All values of a query, from the start to now."""
        now = time.time()
        question = urlencode({"query": query, "start": round(now - 600), "end": round(now), "step": "500ms"})
        with urlopen(f"{self.service.url}api/v1/query_range?{question}", timeout=PATIENCE) as answer:
            found = json.load(answer)["data"]["result"]
        return [float(value) for series in found for _, value in series["values"]]


@dataclass(frozen=True)
class Fault:
    """`path` is broken below the scene's folder, by other text or a link; `seen` tells it from figures."""

    what: str
    path: str
    broken: str
    seen: Callable[[Figures], bool]
    suffers: tuple[str, ...] = ()
    """Collectors that may fail of it."""
    link: bool = False


def success(name: str) -> str:
    return f'node_scrape_collector_success{{collector="{name}"}}'


JOBS, CUT = "jobs_done_total 7\n", "jobs_done_total 9\njobs_fail"
SENSOR = 'node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"}'
LO = 'node_network_receive_bytes_total{device="lo"}'
USB = 'node_network_receive_bytes_total{device="usb0"}'
NEW = "  usb0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n"
NET = (FIXTURES / "desktop/proc/net/dev").read_text()
STAT = (FIXTURES / "desktop/proc/stat").read_text()
FAULTS = (
    Fault(
        "a text file half written",
        "root/text/jobs.prom",
        CUT,
        lambda found: "jobs_done_total" not in found and found["node_textfile_scrape_error"] == 1,
    ),
    Fault(
        "/proc/stat cut off within a line",
        "proc/stat",
        STAT[:333],
        lambda found: not found[success("cpu")],
        ("cpu", "stat"),
    ),
    Fault(
        "a sensor that answers EIO",
        "sys/class/hwmon/hwmon0/temp1_input",
        FAILS,
        lambda found: (
            SENSOR not in found and found['monitor_collector_unreadable_files{collector="hwmon"}'] == 1
        ),
        link=True,
    ),
    Fault("a device that appears and vanishes", "proc/net/dev", NET + NEW, lambda found: USB in found),
    Fault(
        "a counter that is reset",
        "proc/net/dev",
        NET.replace("53227097538", "5"),
        lambda found: found.get(LO) == 5,
    ),
)


@dataclass
class Outcome:
    seen: dict[str, list[float]] = field(default_factory=dict)
    """Seconds until each fault was seen, by what it is."""
    ended: dict[str, list[float]] = field(default_factory=dict)
    others: int = 0
    """Collectors that failed of a fault that was not theirs."""
    wrong: int = 0
    looked_at: int = 0
    missed: float = 0
    processes: int = 0
    met: list[float] = field(default_factory=list)
    """Seconds until all of a crowd were in its group: at a start of the service among them, and later."""
    let_go: list[float] = field(default_factory=list)
    longest: float = 0
    """Seconds that the collector took of a pass at the most."""
    fallen: float = 0
    warnings: int = 0


def rows(options: Options) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        found = campaign(Path(folder), options.of(ROUNDS), options.of(PROCESSES))
    yield from told(found)


def told(found: Outcome) -> Iterator[Row]:
    for what, times in found.seen.items():
        yield Row(f"{what}: times", len(times))
        yield within("longest time until it was seen, s", max(times), BOUND)
        yield within("longest time until its end was, s", max(found.ended[what]), BOUND)
    yield Row("other collectors that failed meanwhile", found.others, not found.others)
    yield Row("values stored of what was broken", found.looked_at, found.looked_at > 0)
    yield Row("of them wrong", found.wrong, not found.wrong)
    yield Row("processes, made and ended under the service", found.processes)
    for when, seconds in zip(("at a start among them", "while it ran"), found.met, strict=False):
        yield within(f"time until all of them were in their group, {when}, s", seconds, WARM)
    if found.met:
        yield within("longest time until their end was seen, s", max(found.let_go), BOUND)
        yield within("longest that they held up a pass, s", found.longest, HELD_UP)
    yield Row("counters of theirs that fell", found.fallen, not found.fallen)
    yield Row("lines of warnings that told of it", found.warnings, found.warnings > 0)
    yield Row("passes left out in all", found.missed, not found.missed)


def campaign(folder: Path, rounds: int, processes: int, faults: Sequence[Fault] = FAULTS) -> Outcome:
    found = Outcome()
    machine(folder)
    places = {
        "COLLECT__PROCFS": str(folder / "proc"),
        "COLLECT__SYSFS": str(folder / "sys"),
        "COLLECT__ROOTFS": str(folder / "root"),
    }
    with broken(Service(folder / "state", **SETTINGS, **places)) as service:
        scene = Scene(folder, service)
        for number in range(rounds):
            for fault in faults:
                play(scene, fault, found)
            silence(scene, found)
            progress(f"{number + 1} of {rounds} rounds")
        judge(scene, found)
        found.missed += scene.figures()["monitor_ticks_missed_total"]
    found.warnings = service.log.read_text().count(" WARNING ")
    if processes:
        (folder / "real").mkdir()
        service = Service(folder / "real", **REAL)
        try:
            many(Scene(folder, service), processes, found)
        finally:
            service.stop()
    return found


@contextmanager
def broken(service: Service) -> Iterator[Service]:
    """A service that may complain, as it has reasons."""
    service.start()
    try:
        yield service
    finally:
        service.stop()


def machine(folder: Path) -> None:
    """Files of recorded machines, and a text file of somebody's."""
    for place in ("desktop/proc", "desktop/root", "rack/sys"):
        shutil.copytree(FIXTURES / place, folder / Path(place).name, symlinks=True)
    (folder / "root/text").mkdir()
    (folder / "root/text/jobs.prom").write_text(JOBS)
    (folder / "state").mkdir()


def play(scene: Scene, fault: Fault, found: Outcome) -> None:
    """Break it until it is seen, and mend it until that is."""
    path = scene.folder / fault.path
    scene.until(lambda figures: success("hwmon") in figures and SENSOR in figures)
    # The system bus of another fault goes some time after that.
    before, whole = failing(scene.figures()) | {"systemd"}, path.read_text()
    if fault.link:
        path.unlink()
        path.symlink_to(fault.broken)
    else:
        put(path, fault.broken)
    found.seen.setdefault(fault.what, []).append(scene.until(fault.seen))
    found.others += len(failing(scene.figures()) - before - set(fault.suffers))
    if fault.link:
        path.unlink()
    put(path, whole)
    mended = scene.until(lambda figures: not fault.seen(figures) and failing(figures) <= before)
    found.ended.setdefault(fault.what, []).append(mended)


def put(path: Path, text: str) -> None:
    """As the kernel does it: the file stays, and never is empty."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(text.encode())
        file.truncate()


def silence(scene: Scene, found: Outcome) -> None:
    """A system bus that answers, one in its place that takes connections and says nothing, and again one that
    answers."""
    what = "a system bus that never answers"
    serving(scene, "", lambda figures: figures[success("systemd")] == 1)
    before = failing(scene.figures()) | {"systemd"}
    seen = serving(scene, "silent", lambda figures: figures[success("systemd")] == 0)
    found.others += len(failing(scene.figures()) - before)
    ended = serving(scene, "", lambda figures: figures[success("systemd")] == 1)
    found.seen.setdefault(what, []).append(seen)
    found.ended.setdefault(what, []).append(ended)


def serving(scene: Scene, fault: str, wanted: Callable[[Figures], bool]) -> float:
    """Run a system bus until the figures are as wanted; the seconds that took."""
    shutil.rmtree((scene.folder / f"root{SOCKET}").parent, ignore_errors=True)
    with bus(scene.folder / "root", fault):
        return scene.until(wanted)


def failing(figures: Figures) -> set[str]:
    """Collectors without success."""
    start = success("").partition('"')[0]
    return {name.split('"')[1] for name, value in figures.items() if name.startswith(start) and not value}


def judge(scene: Scene, found: Outcome) -> None:
    """Values of what was broken are those of the whole files, but for the counter that was reset."""
    sensor = SENSOR.replace("}", ',job="node"}')
    allowed: dict[str, Callable[[float], bool]] = {
        "jobs_done_total": lambda value: value == 7,
        sensor: lambda value: value == 55,
        'node_cpu_seconds_total{cpu="0",mode="user"}': lambda value: value == 3405.63,
        LO: lambda value: value in (5, 53227097538),
        USB: lambda value: value == 1000,
        # What a counter that begins anew at 5 rose by is no more than it says, and nothing is below zero.
        'increase(node_network_receive_bytes_total{device="lo"}[2s])': lambda value: (
            0 <= value <= 53227097538 * 2
        ),
        'rate(node_cpu_seconds_total{cpu="0",mode="user"}[2s])': lambda value: value == 0,
    }
    for query, right in allowed.items():
        values = scene.ever(query)
        found.looked_at += len(values)
        found.wrong += sum(not right(value) for value in values)


def many(scene: Scene, processes: int, found: Outcome) -> None:
    """A start among processes by the thousand, and their ends and others of them between two looks, and
    between being listed and being read."""
    before: set[str] = set()
    for number in range(2):
        with crowd(processes):
            if not number:
                scene.service.start()
            found.met.append(scene.until(lambda figures: in_crowd(figures) > processes, WARM))
            found.processes += processes
            before = before or failing(scene.figures())
        found.let_go.append(scene.until(lambda figures: not in_crowd(figures)))
    figures = scene.figures()
    found.others += len(failing(figures) - before)
    used = "namedprocess_namegroup_cpu_seconds_total"
    found.fallen += sum(scene.ever(f"count({used} < ({used} offset 1s))"))
    name = 'node_scrape_collector_duration_seconds{collector="process_groups"}'
    found.longest = max(scene.ever(name))
    found.missed += figures["monitor_ticks_missed_total"]


def in_crowd(figures: Figures) -> float:
    """Members of the groups with the crowd's name, the one that made them among them."""
    start = 'namedprocess_namegroup_num_procs{groupname="crowd"'
    return sum(value for name, value in figures.items() if name.startswith(start))
