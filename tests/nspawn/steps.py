"""What is done to the service in the machine, in this order; each step says what it saw, or fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.nspawn.machine import REPOSITORY, VENV, WHEELS, Machine, upgrade

SERVICE, SOCKET = "monitor.service", "monitor.socket"
UNITS = "/etc/systemd/system"
CONFIG = "/etc/monitor/config.yaml"
HOST = "127.0.0.1"
PATIENCE = 60
VIEWERS = 50
SPREAD = 2.0
"""Seconds within which viewers come back, by default (server.websocket.reconnect_spread)."""
WATCHDOG = 5
"""Seconds."""
ABSENT = "not on this host, and looked for now and then"
"""What the log says before the names of collectors."""
STEP = 1.0
"""Seconds from one sample to the next."""


def the_unit_is_understood(machine: Machine) -> str:
    """What would be installed, judged by the systemd that is here."""
    text = machine.monitor("service", "units")
    _, service, socket = re.split(r"^# monitor\.(?:service|socket)\n", text, flags=re.MULTILINE)
    folder = machine.path("/root/units")
    folder.mkdir(exist_ok=True)
    (folder / SERVICE).write_text(service)
    (folder / SOCKET).write_text(socket)
    verify = machine.command("systemd-analyze", "verify", f"/root/units/{SERVICE}", f"/root/units/{SOCKET}")
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    judged = machine.run("systemd-analyze", "security", "--offline=true", f"/root/units/{SERVICE}")
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", judged)
    assert float(exposure) <= 2.0
    version = machine.run("systemctl", "--version").split()[1]
    kind = re.findall(r"^Type=(.*)$", service, re.MULTILINE)[0]
    return f"systemd {version}, Type={kind}, no complaint, exposure {exposure}"


def a_dry_run_changes_nothing(machine: Machine) -> str:
    said = machine.monitor("service", "install", "--dry-run")
    assert f"- write {UNITS}/{SERVICE}" in said
    assert "+WatchdogSec=30" in said
    assert not machine.path(f"{UNITS}/{SERVICE}").exists()
    assert not machine.path(CONFIG).exists()
    return f"{len(said.splitlines())} lines, no file"


def it_is_installed(machine: Machine) -> str:
    began = time.monotonic()
    machine.monitor("service", "install", "--yes")
    took = time.monotonic() - began
    assert machine.path(CONFIG).stat().st_mode & 0o777 == 0o640
    until(lambda: "series" in machine.shown(SERVICE, "StatusText"), "a line of status")
    said = machine.monitor("service", "status")
    assert re.search(r"says      [\d,]+ series, 0 viewers, tick \d+\.\d ms", said), said
    assert f"listens   on {HOST}:8844, kept by monitor.socket" in said
    state = machine.path("/var/lib/private/monitor")
    assert state.stat().st_mode & 0o777 == 0o700
    assert state.stat().st_uid != 0
    return f"ready after {took:.1f} s; {machine.shown(SERVICE, 'StatusText')}"


def a_link_logs_in(machine: Machine) -> str:
    """Closed until then; the link is not in the journal.  Later steps are about something else."""
    assert status(machine, f"http://{HOST}:8844/api/v1/query?query=up") == 401
    link = machine.monitor("login-link", "--state", "/var/lib/monitor").strip()
    assert status(machine, link) == 200
    assert status(machine, link) != 200, "the link is good twice"
    code = link.rpartition("/")[2].rpartition("=")[2]
    assert code not in machine.run("journalctl", "--boot", "--no-pager")
    path = machine.path(CONFIG)
    path.write_text(path.read_text().replace("access:\n", "access:\n  anonymous: operator\n"))
    machine.run("systemctl", "reload", SERVICE)
    until(lambda: status(machine, f"http://{HOST}:8844/api/v1/query?query=up") == 200, "an open door")
    return "401 without, 200 with it, once; a reload opens the door for the steps that follow"


def every_collector_sees_the_host(machine: Machine) -> str:
    """Under the sandbox each works as it does outside of it, or says that this host has no such thing."""
    until(lambda: absent(machine), "a word on what is not on this host")
    works = {
        each["metric"]["collector"]: each["value"][1]
        for each in query(machine, "node_scrape_collector_success")
    }
    failing = sorted(name for name, value in works.items() if value != "1")
    closed = {"disk_info", "journal"}  # There is no udev in a container; the unit may not read the journal.
    stuck = set(failing) - closed - absent(machine)
    assert not stuck, f"fail: {stuck}"
    (root,) = query(machine, 'node_filesystem_readonly{mountpoint="/"}')
    assert root["value"][1] == "0", "the root is shown as the sandbox sees it"
    refused = [each for each in query(machine, "node_filesystem_device_error") if each["value"][1] != "0"]
    assert not refused, refused
    return f"{len(works) - len(failing)} of {len(works)} collectors{f', not {failing}' if failing else ''}"


def absent(machine: Machine) -> set[str]:
    """The collectors of which the service says, some passes after its start, that there is nothing."""
    log = machine.run("journalctl", "--boot", "--unit", SERVICE, "--output", "cat", "--no-pager")
    return {name for line in re.findall(rf"{ABSENT}: (.+)", log) for name in line.split(", ")}


def restarts_refuse_nobody(machine: Machine) -> str:
    found = load(machine, 5, "systemctl", "restart", SERVICE)
    assert found["told"] == 5
    assert whole(found), found
    for hole, back, took in zip(found["holes"], found["back"], found["took"], strict=True):
        assert hole <= took + STEP, found
        assert back <= took + SPREAD + STEP, found
    return described(found)


def a_crash_refuses_nobody(machine: Machine) -> str:
    """What was just being answered is cut; the next waits."""
    found = load(machine, 2, "sh", "-c", f"systemctl kill --kill-whom=main --signal=KILL {SERVICE}")
    assert not any(found[key] for key in ("turned_away", "refused", "wrong")), found
    return described(found)


def without_the_socket_some_are_refused(machine: Machine) -> str:
    """That the harness sees what the socket is there for."""
    unit = machine.path(f"{UNITS}/{SOCKET}")
    text = unit.read_text()
    machine.run("systemctl", "stop", SERVICE, SOCKET)
    unit.unlink()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", SERVICE)
    try:
        found = load(machine, 2, "systemctl", "restart", SERVICE)
    finally:
        unit.write_text(text)
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "stop", SERVICE)
        machine.run("systemctl", "start", SOCKET, SERVICE)
    assert found["failed"] + found["refused"] > 0, found
    return described(found)


def an_upgrade_refuses_nobody(machine: Machine) -> str:
    (wheel,) = machine.path(f"/{WHEELS}").glob("monitor-*.whl")
    install = " ".join((*upgrade(), f"/{WHEELS}/{wheel.name}"))
    machine.path("/root/upgrade").write_text(
        f"#!/bin/sh\nset -e\n{install}\n{VENV}/bin/monitor service install --yes >/dev/null\n"
    )
    before = pid(machine)
    found = load(machine, 1, "sh", "/root/upgrade")
    assert pid(machine) != before
    assert whole(found), found
    return described(found)


def a_reload_keeps_the_process(machine: Machine) -> str:
    """And one that is refused, too."""
    before = pid(machine)
    found = load(machine, 3, "systemctl", "reload", SERVICE, leave=False)
    assert pid(machine) == before, "it was started anew"
    assert whole(found), found
    path = machine.path(CONFIG)
    good = path.read_text()
    path.write_text(f"{good}\nnonsense: 1\n")
    succeeds(machine, "systemctl", "reload", SERVICE)
    until(lambda: "nonsense" in machine.monitor("service", "status"), "the error in the status")
    path.write_text(good)
    machine.run("systemctl", "reload", SERVICE)
    assert pid(machine) == before, "it was started anew"
    return f"3 times, the same process; {described(found)}"


def the_watchdog_ends_what_hangs(machine: Machine) -> str:
    """Stopped by SIGSTOP, under a watchdog that is shorter than the unit's."""
    with drop_in(machine, f"[Service]\nWatchdogSec={WATCHDOG}\n"):
        times = [stopped(machine) for _ in range(5)]
        said = machine.run("journalctl", "--boot", "--unit", SERVICE, "--no-pager")
    ended = said.count(f"Watchdog timeout (limit {WATCHDOG}s)")
    assert ended == 5, f"the watchdog ended {ended} of 5"
    assert "Fatal Python error: Aborted" in said, "the journal does not say where it hung"
    return f"5 of 5 serve again, {min(times):.1f} to {max(times):.1f} s after SIGSTOP"


def stopped(machine: Machine) -> float:
    """Seconds from a SIGSTOP until the service answers again."""
    until(lambda: "series" in machine.shown(SERVICE, "StatusText"), "a line of status")
    before, began = pid(machine), time.monotonic()
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", SERVICE)
    until(lambda: pid(machine) not in {"0", before} and answers(machine), "an answer of another process")
    return time.monotonic() - began


def the_journal_has_fields(machine: Machine) -> str:
    """Also: workers work in the sandbox, and one that dies is replaced."""
    with drop_in(machine, "[Service]\nEnvironment=MONITOR_SERVER__WORKERS=2\n"):
        text = machine.run("systemctl", "show", "--value", "--property", "ControlGroup", SERVICE).strip()
        until(lambda: len(workers(machine)) == 1, f"a worker in {text}")
        (worker,) = workers(machine)
        machine.run("sh", "-c", f"kill -KILL {worker}")
        fields = "MONITOR_LOGGER=monitor.server.workers", "PRIORITY=4", f"_SYSTEMD_UNIT={SERVICE}"
        command = "journalctl", "--boot", "--output", "json", "--no-pager", *fields
        until(lambda: machine.run(*command).strip(), "an entry with fields")
        until(lambda: workers(machine) not in ([], [worker]), "another worker")
        entry = json.loads(machine.run(*command).splitlines()[-1])
    assert entry["_TRANSPORT"] == "journal"
    assert entry["MESSAGE"].startswith("worker 1 ended with status -9")
    assert entry["CODE_FILE"].endswith("monitor/server/workers.py")
    return f"`{entry['MESSAGE']}`, by {entry['CODE_FUNC']} in line {entry['CODE_LINE']}; another worker came"


def a_bad_configuration_is_waited_out(machine: Machine) -> str:
    path = machine.path(CONFIG)
    good = path.read_text()
    path.write_text(f"{good}\nnonsense: 1\n")
    restart = subprocess.run(
        machine.command("systemctl", "restart", SERVICE), capture_output=True, check=False
    )
    assert restart.returncode != 0
    until(lambda: int(machine.shown(SERVICE, "NRestarts")) >= 2, "two attempts")
    assert "nonsense" in machine.run("journalctl", "--boot", "--unit", SERVICE, "--no-pager", "--lines", "40")
    path.write_text(good)
    began = time.monotonic()
    until(lambda: machine.shown(SERVICE, "ActiveState") == "active", "the service")
    return f"tried again and again, and back {time.monotonic() - began:.1f} s after the file was mended"


def it_is_removed(machine: Machine) -> str:
    machine.monitor("service", "uninstall", "--yes")
    assert not machine.path(f"{UNITS}/{SERVICE}").exists()
    assert machine.shown(SERVICE, "LoadState") == "not-found"
    assert not answers(machine)
    assert machine.path(CONFIG).exists()
    assert machine.path("/var/lib/private/monitor").exists()
    return "units gone, configuration and state kept"


def it_is_purged(machine: Machine) -> str:
    machine.monitor("service", "install", "--yes")
    machine.monitor("service", "uninstall", "--purge", "--yes")
    places = (
        "/etc/monitor",
        "/var/lib/private/monitor",
        "/var/lib/monitor",
        "/run/monitor",
        f"{UNITS}/monitor.*",
    )
    left = machine.run("sh", "-c", f"ls -d {' '.join(places)} 2>/dev/null || true")
    assert not left, left
    return "nothing left but the command"


def load(machine: Machine, times: int, *command: str, leave: bool = True) -> dict[str, Any]:
    """What viewers and questions notice of a command that is run so many times."""
    inside = machine.command(*command)
    mode = "restart" if leave else "stay"
    done = subprocess.run(
        [
            "nsenter",
            "--target",
            str(machine.leader),
            "--net",
            sys.executable,
            "-m",
            "tests.nspawn.load",
            HOST,
            str(VIEWERS),
            str(times),
            mode,
            *inside,
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def whole(found: dict[str, Any]) -> bool:
    return not (found["failed"] or found["refused"] or found["wrong"]) and found["answered"] > 0


def described(found: dict[str, Any]) -> str:
    asked = f"{found['answered']:,} questions, {found['failed']} failed ({found['turned_away']} refused)"
    seen = [
        f"{asked}, slowest {found['slowest']:.2f} s",
        f"{VIEWERS} viewers, {found['refused']} refused, {len(found['wrong'])} not whole",
        f"took {seconds(found['took'])}",
    ]
    if found["back"]:
        seen.append(f"all back after {seconds(found['back'])}")
        seen.append(f"columns missing for {seconds(found['holes'])}")
    return "; ".join(seen)


def seconds(times: Sequence[float]) -> str:
    return f"{', '.join(f'{each:.1f}' for each in times)} s"


def query(machine: Machine, text: str) -> Any:
    code = (
        "import json, sys, urllib.parse, urllib.request as r; "
        f"u = 'http://{HOST}:8844/api/v1/query?query=' + urllib.parse.quote(sys.argv[1]); "
        "print(json.dumps(json.load(r.urlopen(u))['data']['result']))"
    )
    return json.loads(machine.run("python3", "-c", code, text))


def status(machine: Machine, url: str) -> int:
    """Of the answer to a browser that keeps cookies."""
    code = (
        "import http.cookiejar, sys, urllib.error, urllib.request as r\n"
        "o = r.build_opener(r.HTTPCookieProcessor(http.cookiejar.CookieJar()))\n"
        "try: print(o.open(sys.argv[1]).status)\n"
        "except urllib.error.HTTPError as e: print(e.code)"
    )
    return int(machine.run("python3", "-c", code, url))


def answers(machine: Machine) -> bool:
    code = f"import urllib.request as r; r.urlopen('http://{HOST}:8844/healthz', timeout=5)"
    return succeeds(machine, "python3", "-c", code)


def succeeds(machine: Machine, *command: str) -> bool:
    return not subprocess.run(machine.command(*command), capture_output=True, check=False).returncode


def pid(machine: Machine) -> str:
    return machine.shown(SERVICE, "MainPID")


def workers(machine: Machine) -> list[str]:
    """Process ids of the workers, in the machine."""
    group = machine.shown(SERVICE, "ControlGroup")
    processes = " ".join(f"/sys/fs/cgroup{kind}{group}/cgroup.procs" for kind in ("/systemd", ""))
    script = f"grep -l server.worker $(sed 's|.*|/proc/&/cmdline|' $(ls {processes} 2>/dev/null)) || true"
    return re.findall(r"/proc/(\d+)/", machine.run("sh", "-c", script))


@contextmanager
def drop_in(machine: Machine, text: str) -> Iterator[None]:
    """The service under a unit that differs for a while."""
    path = machine.path(f"/run/systemd/system/{SERVICE}.d/test.conf")
    inside = f"/run/systemd/system/{SERVICE}.d"
    machine.run("sh", "-c", f"mkdir -p {inside} && printf '%s' '{text}' > {inside}/{path.name}")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", SERVICE)
    try:
        yield
    finally:
        machine.run("rm", f"{inside}/{path.name}")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", SERVICE)


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {PATIENCE} s"
        time.sleep(0.1)
