"""The service under a real systemd: `make systemd`, or `python -m tests.nspawn --suite bookworm`.

A Debian is made (a minute, and the packages of a mirror), booted, and the service is installed, restarted,
stopped, broken, upgraded and removed in it.  The table says what was counted; the exit status is 1 where
something is not as promised, and 77 where the machine cannot be made here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.nspawn import steps
from tests.nspawn.machine import CommandError, Machine, booted, make, missing

SKIPPED = 77
"""Exit status of a test that could not be run, as automake has it."""
STEPS: tuple[Callable[[Machine], str], ...] = (
    steps.the_unit_is_understood,
    steps.a_dry_run_changes_nothing,
    steps.it_is_installed,
    steps.a_link_logs_in,
    steps.every_collector_sees_the_host,
    steps.restarts_refuse_nobody,
    steps.a_crash_refuses_nobody,
    steps.without_the_socket_some_are_refused,
    steps.an_upgrade_refuses_nobody,
    steps.a_reload_keeps_the_process,
    steps.the_watchdog_ends_what_hangs,
    steps.the_journal_has_fields,
    steps.a_bad_configuration_is_waited_out,
    steps.it_is_removed,
    steps.it_is_purged,
)


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.nspawn", description=__doc__)
    options.add_argument("--suite", default="bookworm", help="Debian's name for its version (bookworm)")
    options.add_argument("--root", type=Path, help="where the machine is kept; else it is removed")
    options.add_argument("--only", action="append", choices=[step.__name__ for step in STEPS])
    chosen = options.parse_args()
    lacking = missing()
    if lacking:
        sys.stderr.write(f"skipped: the machine cannot be made without {lacking}\n")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="nspawn-") as folder:
        root = chosen.root or Path(folder) / chosen.suite
        make(root, chosen.suite)
        with booted(root) as machine:
            return carry_out(machine, chosen.only)


def carry_out(machine: Machine, only: list[str] | None) -> int:
    failures = 0
    say("| step | what was seen | s |", "|---|---|---|")
    for step in STEPS:
        if only and step.__name__ not in only:
            continue
        began = time.monotonic()
        try:
            seen = step(machine)
        except (AssertionError, CommandError) as error:
            failures += 1
            seen = f"**FAILED**: {error}"
        say(f"| {step.__name__.replace('_', ' ')} | {seen} | {time.monotonic() - began:.1f} |")
    return int(failures > 0)


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
