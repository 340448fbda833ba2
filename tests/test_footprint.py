"""The memory that viewers may take, by the formula, and the limit that it is held against."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.app import Service, StartError
from monitor.config import load
from monitor.footprint import (
    BASE,
    RECEIVE_BUFFER,
    SPARE,
    TLS,
    Footprint,
    Limit,
    footprint,
    judge,
    memory_limit,
)
from tests.conftest import ExpectLog

GIB = 1 << 30
MEMINFO = "MemTotal:        8388608 kB\nMemFree:         1 kB\n"


def small(viewers: int) -> Footprint:
    return Footprint(viewers, max_message=1024, send_buffer=4096, backlog=GIB // 2)


def test_the_formula() -> None:
    assert small(1).process == BASE + SPARE + 4096
    assert small(1).kernel == 8192 + 2 * RECEIVE_BUFFER
    assert replace(small(1), tls=True).process == small(1).process + TLS
    assert small(10).total == 10 * (small(1).process + small(1).kernel) + GIB // 2


def test_the_defaults_fit_into_half_of_a_gibibyte() -> None:
    assert footprint(load(None, {}, {}).settings).total <= GIB // 2


@pytest.mark.parametrize(("limit", "fits", "roomy"), [(2, True, True), (1, True, False), (0.5, False, False)])
def test_half_of_the_limit_is_for_the_viewers(limit: float, fits: bool, roomy: bool) -> None:
    judged = judge(small(1000), Limit(int(limit * GIB), "memory.max"))
    assert (judged.fits, judged.roomy) == (fits, roomy)
    assert "at most 1000 viewers x 100 KiB + 512 MiB = 610 MiB; the limit is " in judged.text
    assert ("lower server.websocket.max_clients" in judged.text) == (not roomy)


def machine(root: Path, groups: str, **limits: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(MEMINFO)
    (root / "proc/self/cgroup").write_text(groups)
    for place, text in limits.items():
        path = root / "sys/fs/cgroup" / place.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_without_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/user.slice\n")
    assert memory_limit(root) == Limit(8 * GIB, "MemTotal in /proc/meminfo")
    (root / "proc/self/cgroup").unlink()
    assert memory_limit(root).bytes == 8 * GIB


def test_the_smallest_limit_above_the_process_counts(tmp_path: Path) -> None:
    groups = {"a.slice__memory.max": str(GIB), "a.slice__b.service__memory.max": "max"}
    root = machine(tmp_path, "0::/a.slice/b.service\n", **groups)
    assert memory_limit(root) == Limit(GIB, "/sys/fs/cgroup/a.slice/memory.max")


def test_the_first_version_of_groups(tmp_path: Path) -> None:
    root = machine(
        tmp_path, "4:cpu,memory:/outside\n3:cpuset:/\n0::/\n", **{"memory__memory.limit_in_bytes": str(GIB)}
    )
    assert memory_limit(root) == Limit(GIB, "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def test_this_machine_has_a_limit() -> None:
    assert memory_limit().bytes > 1 << 26


def service(folder: Path, **flags: str) -> Service:
    flags = {"server.listen": "127.0.0.1:0", "storage.path": str(folder)} | flags
    return Service(load(None, {}, flags).settings)


def test_viewers_that_cannot_fit_stop_the_start(tmp_path: Path) -> None:
    large = {"server.websocket.max_clients": "10000", "server.websocket.send_buffer": "16MiB"}
    made = service(tmp_path, **large)
    with pytest.raises(StartError, match=r"at most 10000 viewers .* this exceeds the limit: lower server\."):
        made.prepare()
    made.telemetry.close()


def test_more_than_half_of_the_limit_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log: ExpectLog
) -> None:
    expect_log("this exceeds half of the limit")
    monkeypatch.setattr("monitor.start.memory_limit", lambda: Limit(GIB // 2, "memory.max"))
    made = service(tmp_path)
    (listener,) = made.prepare()
    assert listener.getsockname()[1], "and it starts all the same"
    listener.close()
    made.telemetry.close()
