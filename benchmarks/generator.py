"""The load generator and the C limit (benchmarks/load), built with the machine's compiler and driven."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.alternate import Figures
from benchmarks.server import Server, pinned

SOURCES = Path(__file__).parent / "load"
SUBSCRIBE = '{"type":"subscribe","request":1,"board":"overview","range":1000}'
ACKNOWLEDGE = '{"type":"ack","feed":1,"n":9000000000000}'
"""Feed 1 is the first of a service, which must therefore be fresh."""
ACK_EVERY = 10
"""Ticks: the page acknowledges after `ack_after`, right after a paint."""
SILENT = ("--path", "/live", "--subprotocol", "monitor.v1", "--send", SUBSCRIBE)
"""Options of a load that subscribes and then only reads."""
VIEWERS = (*SILENT, "--repeat", ACKNOWLEDGE, "--repeat-msgs", str(ACK_EVERY))
"""Options of a load that behaves as the page does."""
STAMPS = ("--key", "t", "--key-unit", "ms", "--key-clock", "real", "--key-window", "96")
"""The time of a tick; that of a backfill stands further behind."""


class CompilerError(RuntimeError):
    """The machine cannot build the tools; the message says what to install."""


@contextmanager
def built(*names: str) -> Iterator[dict[str, str]]:
    """Paths of the programs, in a folder that lasts as long as the context.  Raises CompilerError."""
    with TemporaryDirectory(prefix="bench-") as folder:
        yield {name: _build(name, Path(folder)) for name in names}


def _build(name: str, folder: Path) -> str:
    program = folder / name
    command = ["gcc", "-O2", "-o", str(program), str(SOURCES / f"{name}.c"), "-lz", "-lm"]
    advice = "install it with: apt-get install gcc libc6-dev zlib1g-dev"
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise CompilerError(f"no gcc to build {name} with; {advice}") from error
    if result.returncode:
        raise CompilerError(f"cannot build {name}; if a header is missing, {advice}\n{result.stderr}")
    return str(program)


def load(program: str, server: Server, clients: int, *options: str) -> dict[str, Any]:
    """What wsload reports, run on the second core.  Raises RuntimeError unless every client connected."""
    command = _command(program, server, clients, *options)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{program} ended with status {result.returncode}: {result.stderr}{result.stdout}")
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@contextmanager
def held(program: str, server: Server, clients: int, settle: float, *options: str) -> Iterator[None]:
    """So many clients that stay; it begins `settle` seconds after the last handshake."""
    times = ("--settle", str(settle), "--duration", "86400")
    command = _command(program, server, clients, *times, "--ready-cmd", "echo ready", *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"{program}: {clients} clients did not connect")
            yield
        finally:
            process.terminate()
            process.stdout.read()


def _command(program: str, server: Server, clients: int, *options: str) -> list[str]:
    target = ("--port", str(server.port), "--server-pid", str(server.pid), "-n", str(clients))
    patience = ("--connect-timeout", "300", "--end", "rst")
    return pinned(1, [program, *target, *patience, *options])


def figures(report: dict[str, Any], wanted: Sequence[str]) -> Figures:
    """Some of the numbers of a report."""
    return {name: float(report[name]) for name in wanted}
