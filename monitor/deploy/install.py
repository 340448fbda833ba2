"""Installing the service, and taking it away: a list of steps that can be read before they are done."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from monitor.deploy.systemctl import properties, run, systemctl
from monitor.deploy.units import GROUP, PLACES, SERVICE, SOCKET, SYSUSERS

HIDDEN = Path("/tmp"), Path("/var/tmp")  # noqa: S108  (the service sees others: PrivateTmp=)
READ, ENTER = 0o004, 0o001


class InstallError(Exception):
    """The service cannot be installed; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    """What it does, for the person who decides."""
    act: Callable[[], object]
    detail: str = ""
    """The lines that it would write."""


def installing(files: Mapping[Path, str], config: Path) -> Iterator[Step]:
    """Write what differs, let the service read its configuration, and have systemd run it.

    Raises CommandError.
    """
    changed = {path: text for path, text in files.items() if read(path) != text}
    for path, text in changed.items():
        verb = "replace" if path.exists() else "write"
        yield Step(f"{verb} {path}", partial(write, path, text), difference(path, text))
    yield Step("run systemd-sysusers", partial(run, "systemd-sysusers"))
    yield Step(f"let the service read {config}: group {GROUP}, mode 640", partial(admit, config))
    yield command("daemon-reload")
    yield command("enable", SERVICE, SOCKET)
    if any(path.name == SOCKET for path in changed) or not active(SOCKET):
        # A socket cannot be bound anew while its service runs.
        if active(SERVICE):
            yield command("stop", SERVICE)
        yield command("restart", SOCKET)
    yield command("restart", SERVICE)


def removing(places: Mapping[str, Path] = PLACES, *, purge: bool) -> Iterator[Step]:
    """Stop and forget the service; with `purge` its configuration and its state, too."""
    there = {name: path for name, path in places.items() if path.exists()}
    units = [name for name in (SOCKET, SERVICE) if name in there]
    if units:
        yield command("disable", "--now", *units)
    if purge and SERVICE in units:
        yield command("clean", "--what=all", SERVICE)
    for path in there.values():
        yield Step(f"remove {path}", path.unlink)
    if purge and SYSUSERS in there:
        yield Step(f"run groupdel {GROUP}", partial(run, "groupdel", GROUP))
    if units:
        yield command("daemon-reload")


def command(*arguments: str) -> Step:
    return Step(f"run systemctl {' '.join(arguments)}", partial(systemctl, *arguments))


def active(unit: str) -> bool:
    return properties(unit, "ActiveState").get("ActiveState") == "active"


def read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; one that is new may be read by everybody."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o644)
    temporary.replace(path)


def admit(config: Path) -> None:
    """Let the service read a file that is closed to others."""
    shutil.chown(config, group=GROUP)
    config.chmod(0o640)


def difference(path: Path, text: str) -> str:
    """What a write changes, as diff(1) shows it."""
    old = (read(path) or "").splitlines(keepends=True)
    before = str(path) if old else os.devnull
    return "".join(difflib.unified_diff(old, text.splitlines(keepends=True), before, str(path)))


def judge_way(path: Path, what: str, top: Path = Path("/")) -> None:
    """Raises InstallError where a service that has nobody's account could not come to a file.

    What is above `top` is taken to be open.
    """
    for hidden in HIDDEN:
        if path.is_relative_to(hidden):
            raise InstallError(
                f"{what} is {path}, and the service sees a {hidden} of its own; move it, as to /opt/monitor"
            )
    for folder in reversed(path.parents):
        if folder.is_relative_to(top) and not folder.stat().st_mode & ENTER:
            raise InstallError(
                f"{what} is {path}, and the service may not enter {folder}: it runs under an account of its "
                "own; move it, as to /opt/monitor, or allow others to enter (chmod o+x)"
            )


def judge_program(path: Path, top: Path = Path("/")) -> None:
    """Raises InstallError where such a service could not run a program."""
    judge_way(path, "the command", top)
    if not path.stat().st_mode & READ:
        raise InstallError(
            f"the command is {path}, and the service may not read it: it runs under an account of its own; "
            "allow others to read what is installed there (chmod -R o+rX)"
        )
