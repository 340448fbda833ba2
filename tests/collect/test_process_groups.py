"""Groups of processes: what members used stays counted, whatever becomes of them; the cost is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import Host
from monitor.collect.process.place import unit_of
from monitor.collect.process.process import TICKS, parted, shown
from monitor.collect.process.scan import CALM, DUE, GLANCES, LEAST, Scan
from monitor.collect.process_groups import AT_ONCE, ProcessGroups
from tests.collect.fake_procfs import KERNEL, Procfs
from tests.collect.samples import numbers, text

ID = "0123456789abcdef" * 4


@pytest.fixture
def procfs(tmp_path: Path) -> Iterator[Procfs]:
    made = Procfs(tmp_path)
    with made.open:
        yield made


class Clock:
    """Seconds, set by hand; `spent` is the CPU time that each look takes."""

    now = 1000.0
    cost = 0.0
    cpu = 0.0

    def __call__(self) -> float:
        return self.now

    def spent(self) -> float:
        self.cpu += self.cost
        return self.cpu


class Groups:
    """The collector over a procfs of the test's; `look` begins the next second and gives the values."""

    def __init__(self, procfs: Procfs, groups: int = 40, interval: float = 1, budget: float = 0.01) -> None:
        self.clock = Clock()
        self.host = procfs.host()
        # Files of an ordinary file system outlive their names when they are open: none is kept.
        self.collector = ProcessGroups(
            interval, budget, groups, kept=0, clock=self.clock, spent=self.clock.spent
        )
        procfs.open.callback(self.collector.close)

    def look(self, seconds: float = 1) -> dict[str, float]:
        self.clock.now += seconds
        self.host.fresh(self.clock.now)
        return {text(series): value for series, value in numbers(self.collector.collect(self.host)).items()}


def cpu(values: dict[str, float], group: str, mode: str = "user") -> float:
    return values[f'namedprocess_namegroup_cpu_seconds_total{{groupname="{group}",mode="{mode}"}}']


def number(values: dict[str, float], group: str) -> float:
    return values[f'namedprocess_namegroup_num_procs{{groupname="{group}"}}']


def test_what_a_member_used_stays_counted_when_it_ends(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10, user=300)
    procfs.begin(11, user=200)
    assert cpu(groups.look(), "worker") == 500 / TICKS
    procfs.set(10, user=350)
    assert cpu(groups.look(), "worker") == 550 / TICKS
    procfs.end(10)
    values = groups.look()
    assert (cpu(values, "worker"), number(values, "worker")) == (550 / TICKS, 1)


def test_a_new_process_of_an_old_pid_is_another(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10, user=300, start=100)
    groups.look()
    procfs.end(10)
    procfs.begin(10, user=5, start=900)
    values = groups.look()
    assert (cpu(values, "worker"), number(values, "worker")) == (305 / TICKS, 1)


def test_what_runs_another_program_counts_for_that_from_then_on(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10, "sh", user=30)
    groups.look()
    procfs.set(10, "nginx", user=50)
    procfs.unit(10, "/system.slice/nginx.service")
    groups.look()
    procfs.set(10, "nginx", user=70)
    values = groups.look()
    assert cpu(values, "sh") == 50 / TICKS
    name = 'namedprocess_namegroup_cpu_seconds_total{groupname="nginx",mode="user",unit="nginx.service"}'
    assert values[name] == 20 / TICKS


def test_groups_beyond_the_bound_are_one_and_the_largest_have_names(procfs: Procfs) -> None:
    groups = Groups(procfs, groups=2)
    for pid in range(10, 20):
        procfs.begin(pid, f"worker{pid}", user=10, resident=pid)
    values = groups.look()
    names = {name for name in values if name.startswith("namedprocess_namegroup_num_procs")}
    assert len(names) == 3
    assert [number(values, name) for name in ("worker19", "worker18", "other")] == [1, 1, 8]
    procfs.end(19)
    values = groups.look()
    assert number(values, "worker19") == 0
    values = groups.look(1000)
    assert [number(values, name) for name in ("worker18", "other")] == [1, 7]
    assert 'namedprocess_namegroup_num_procs{groupname="worker17"}' in values
    assert cpu(values, "other") == 80 / TICKS


def test_bytes_of_those_who_may_not_be_asked_are_absent_and_not_zero(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10)
    name = 'namedprocess_namegroup_read_bytes_total{groupname="worker"}'
    assert name not in groups.look()
    procfs.begin(11)
    procfs.io(11, 4096, 0)
    assert groups.look()[name] == 4096


def test_what_could_not_be_asked_before_does_not_count_as_done_now(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10)
    groups.look()
    procfs.io(10, 1 << 40, 0)
    procfs.set(10, user=1)
    assert groups.look()['namedprocess_namegroup_read_bytes_total{groupname="worker"}'] == 0
    procfs.io(10, (1 << 40) + 512, 0)
    procfs.set(10, user=2)
    assert groups.look()['namedprocess_namegroup_read_bytes_total{groupname="worker"}'] == 512


@pytest.mark.parametrize(("state", "unit"), [("S", "later.service"), ("Z", "first.service")])
def test_files_of_one_that_has_ended_are_read_once_more_and_then_never(
    procfs: Procfs, state: str, unit: str
) -> None:
    groups = Groups(procfs)
    procfs.begin(10)
    groups.look()
    procfs.set(10, state=state)
    procfs.unit(10, "/system.slice/first.service")
    groups.look(100)
    procfs.unit(10, "/system.slice/later.service")
    assert f'namedprocess_namegroup_num_procs{{groupname="worker",unit="{unit}"}}' in groups.look(100)


def test_threads_of_the_kernel_are_one_group(procfs: Procfs) -> None:
    procfs.begin(2, "kthreadd", flags=KERNEL)
    procfs.begin(17, "kworker/u8:0-events", flags=KERNEL, state="I")
    assert number(Groups(procfs).look(), "kernel") == 2


def test_one_that_ends_before_it_was_looked_at_is_left_out(procfs: Procfs) -> None:
    procfs.begin(10)
    procfs.begin(11)
    (procfs.root / "11" / "stat").unlink()
    assert number(Groups(procfs).look(), "worker") == 1


def test_the_folder_is_listed_only_when_a_process_was_made_or_after_a_minute(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10)
    groups.look()
    procfs.begin(11)
    procfs.made -= 1
    procfs._count()
    assert number(groups.look(), "worker") == 1
    assert number(groups.look(60), "worker") == 2


def test_what_takes_more_than_its_budget_is_done_less_often_and_that_is_said(procfs: Procfs) -> None:
    groups = Groups(procfs, interval=1, budget=0.01)
    procfs.begin(10)
    groups.clock.cost = 0.03
    said = []
    for _ in range(9):
        values = groups.look()
        said.append((groups.collector.scan.number, values["monitor_process_scan_slowed"]))
    assert said == [(1, 0), (1, 0), (1, 0), (2, 1), (2, 1), (2, 1), (3, 1), (3, 1), (3, 1)]
    assert values["monitor_process_scan_interval_seconds"] == 3
    assert values["monitor_process_scan_seconds"] == pytest.approx(0.03)
    groups.clock.cost = 0.001
    assert [groups.look()["monitor_process_scan_slowed"] for _ in range(2)] == [1, 0]


def test_many_at_the_start_are_met_a_few_at_a_time_and_told_of_when_all_are(procfs: Procfs) -> None:
    for pid in range(10, 310):
        procfs.begin(pid)
    times = count(0.0, AT_ONCE / 8)  # Each process takes an eighth of what a pass may.
    collector = ProcessGroups(kept=0, spent=lambda: next(times))
    met, told = [0], dict[str, float]()
    while not told:
        told = {text(series): value for series, value in numbers(collector.collect(procfs.host())).items()}
        met.append(len(collector.scan.living))
    assert max(after - before for before, after in pairwise(met)) <= LEAST + 8
    assert number(told, "worker") == met[-1] == 300


def test_what_says_little_is_read_of_a_few_at_a_time_each_in_turn(procfs: Procfs) -> None:
    groups = Groups(procfs)
    for pid in range(10, 22):
        procfs.begin(pid)
    groups.look()
    groups.clock.cost = GLANCES / 2.5
    groups.collector._budget = 100.0
    for pid in range(10, 22):
        procfs.unit(pid, "/system.slice/a.service")
    members = [_in_unit(groups.look(20), "a.service") for _ in range(4)]
    assert members == [3, 6, 9, 12]


def test_a_thread_of_the_kernel_that_sleeps_is_looked_at_every_other_time(procfs: Procfs) -> None:
    procfs.begin(10, "kworker", flags=KERNEL, user=100)
    procfs.begin(11, "kswapd", flags=KERNEL, user=100)
    groups = Groups(procfs)
    groups.look()
    groups.look()  # Who was met in the look before is looked at.
    procfs.set(11, "kswapd", flags=KERNEL, user=200)
    assert cpu(groups.look(), "kernel") == 300 / TICKS
    procfs.set(10, "kworker", flags=KERNEL, user=101)
    procfs.set(11, "kswapd", flags=KERNEL, user=300)
    assert cpu(groups.look(), "kernel") == 400 / TICKS  # That of the one that works; the other's comes.
    assert cpu(groups.look(), "kernel") == 401 / TICKS
    worker = groups.collector.scan.living[10]
    assert worker.cpu == 1 / TICKS / 2  # Over the two seconds since it was looked at.
    groups.look()
    procfs.set(10, "kworker", flags=KERNEL, user=150)
    groups.collector.watched = True
    groups.look()
    procfs.set(10, "kworker", flags=KERNEL, user=160)
    groups.collector.watched = True
    assert cpu(groups.look(), "kernel") == 460 / TICKS


def test_all_are_looked_at_each_time_where_those_at_the_top_are_kept_as_often(procfs: Procfs) -> None:
    procfs.begin(10, "kworker", flags=KERNEL, user=100)
    groups = Groups(procfs)
    groups.collector = ProcessGroups(1, history=1, kept=0, clock=groups.clock, spent=groups.clock.spent)
    for user in range(101, 106):
        procfs.set(10, "kworker", flags=KERNEL, user=user)
        assert cpu(groups.look(), "kernel") == user / TICKS
    groups.collector.close()


def test_what_says_little_is_read_seldom_of_one_that_does_nothing_and_soon_when_it_works(
    procfs: Procfs,
) -> None:
    procfs.begin(10, "idle")
    procfs.begin(11, "busy")
    groups = Groups(procfs)
    groups.look()
    groups.look(DUE)
    for pid in (10, 11):
        procfs.unit(pid, "/system.slice/a.service")
    procfs.set(11, "busy", user=1)
    groups.look()
    groups.look(DUE)
    units = [groups.collector.scan.living[pid].unit for pid in (10, 11)]
    assert units == ["", "a.service"]
    groups.look(CALM)
    assert groups.collector.scan.living[10].unit == "a.service"


def _in_unit(values: dict[str, float], unit: str) -> float:
    return values.get(f'namedprocess_namegroup_num_procs{{groupname="worker",unit="{unit}"}}', 0)


def test_every_pass_looks_while_somebody_watches(procfs: Procfs) -> None:
    groups = Groups(procfs, interval=5)
    looks = []
    for second in range(12):
        groups.collector.watched |= second in (6, 7)
        groups.look()
        looks.append(groups.collector.scan.number)
    assert looks == [1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4]


def test_a_clock_that_is_set_changes_when_members_started_and_nothing_else(procfs: Procfs) -> None:
    groups = Groups(procfs)
    procfs.begin(10, user=10, start=100)
    before = groups.look()
    stat = procfs.root / "stat"
    stat.write_text(stat.read_text().replace("1767225600", "1767229200"))
    after = groups.look()
    changed = {name: after[name] - before[name] for name in before if before[name] != after[name]}
    assert changed.pop('namedprocess_namegroup_oldest_start_time_seconds{groupname="worker"}') == 3600
    assert set(changed) <= {"monitor_process_scan_interval_seconds"}


@given(st.lists(st.tuples(st.integers(10, 14), st.integers(0, 50), st.booleans()), max_size=30))
@settings(deadline=None, max_examples=60)
def test_no_counter_ever_falls(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, bool]]
) -> None:
    procfs = Procfs(tmp_path_factory.mktemp("proc"))
    groups, living, before = Groups(procfs, groups=2), dict[int, int](), dict[str, float]()
    with procfs.open:
        for turn, (pid, ticks, ends) in enumerate(steps):
            if pid not in living:
                procfs.begin(pid, f"name{pid % 3}", user=ticks, start=turn)
                living[pid] = ticks
            elif ends:
                procfs.end(pid)
                del living[pid]
            else:
                living[pid] += ticks
                procfs.set(pid, f"name{pid % 3}", user=living[pid], start=turn)
            after = groups.look()
            assert all(after[name] >= before[name] for name in before if "_total" in name)
            before = after


@given(st.binary(max_size=64).filter(lambda name: b"\0" not in name))
def test_a_name_may_hold_anything(name: bytes) -> None:
    line = b"7 (" + name + b") S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 4096 1 0 0\n"
    assert parted(line)[0] == name
    assert shown(name).isprintable()


def test_what_is_no_stat_says_so() -> None:
    with pytest.raises(ValueError, match="the stat of a process expected, found b'7 "):
        parted(b"7 (x) S 1\n")


@pytest.mark.parametrize(
    ("lines", "unit"),
    [
        ("0::/system.slice/nginx.service", "nginx.service"),
        ("0::/init.scope", "init.scope"),
        ("0::/", ""),
        ("", ""),
        ("12:cpu:/\n1:name=systemd:/system.slice/cron.service\n0::/", "cron.service"),
        ("0::/user.slice/user-1000.slice/session-3.scope", "user-1000.slice"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", "user@1000.service"),
        (f"0::/system.slice/docker-{ID}.scope", "docker-0123456789ab"),
        (f"1:name=systemd:/docker/{ID}", "docker-0123456789ab"),
        (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", "cri-containerd-0123456789ab"),
        (f"0::/kubepods/besteffort/pod1/{ID}", "0123456789ab"),
        (f"0::/machine.slice/libpod-{ID}.scope/container", "libpod-0123456789ab"),
    ],
)
def test_a_process_belongs_to_its_unit_or_container(lines: str, unit: str) -> None:
    assert unit_of(lines.encode()) == unit


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def scanning(kept: int = 4096) -> Iterator[tuple[Scan, Host]]:
    scan, host = Scan(40, kept), Host()
    yield scan, host
    scan.close()
    host.close()


@pytest.mark.parametrize("kept", [0, 4096])
def test_real_processes_are_found_and_lost(kept: int) -> None:
    with scanning(kept) as (scan, host):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as cat:
            assert cat.stdin
            assert cat.stdout
            # What it was sent comes back when the loader has closed the libraries that it opened.
            cat.stdin.write(b"loaded")
            assert cat.stdout.read(6) == b"loaded"
            host.fresh()
            scan.look(host)
            found = scan.living[cat.pid]
            assert (found.comm, found.uid) == ("cat", os.getuid())
            assert found.fds == 3
            cat.kill()
            cat.wait()
        host.fresh()
        scan.look(host)
        assert cat.pid not in scan.living


def test_a_zombie_is_a_zombie() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended, scanning() as (scan, host):
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        host.fresh()
        scan.look(host)
        assert (scan.living[ended.pid].state, scan.living[ended.pid].resident) == ("Z", 0)


def test_what_is_kept_open_is_bounded_and_let_go_of() -> None:
    before = descriptors()
    with scanning(kept=5) as (scan, host):
        host.fresh()
        scan.look(host)
        assert descriptors() - before <= 5 + 2
        assert len(scan.living) > 5
    assert descriptors() == before


HIDDEN = """
import os, sys
from monitor.collect import Host
from monitor.collect.process.scan import Scan
os.setgid(65534); os.setuid(65534)
scan, host = Scan(40), Host(sys.argv[1])
for _ in range(2):
    host.fresh()
    scan.look(host)
print(sorted(scan.living) == [os.getpid()], scan.whole, scan.living[os.getpid()].comm)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="mounting proc takes root")
def test_where_proc_hides_processes_of_others_ones_own_are_seen_and_that_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    script = f'mount -t proc -o hidepid=2 proc {tmp_path} && exec {sys.executable} -c "$0" {tmp_path}'
    told = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, HIDDEN], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("True False python")
