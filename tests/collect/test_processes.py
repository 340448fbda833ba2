"""Processes and threads, counted while they come and go."""

import asyncio
import shutil
from pathlib import Path

from monitor.collect import Host
from monitor.collect.processes import Processes, process
from tests.collect.samples import FIXTURES, numbers, text

PROC = FIXTURES / "desktop" / "proc"


def test_a_name_with_brackets_and_blanks_hides_no_state() -> None:
    assert process(Host(str(PROC)), "901") == "RR"
    assert process(Host(str(PROC)), "641") == "SSSSS"


def test_a_process_that_ends_between_listing_and_reading_is_not_counted(tmp_path: Path) -> None:
    shutil.copytree(PROC, tmp_path / "proc")

    class Ending(Host):
        def names(self, folder: str) -> list[str]:
            found = super().names(folder)
            if folder == self.procfs:
                shutil.rmtree(f"{folder}/641")
            return found

    found = numbers(asyncio.run(Processes().refresh(Ending(str(tmp_path / "proc")))))
    told = {text(series): value for series, value in found.items()}
    assert told["node_processes_pids"] == len(list(PROC.glob("[0-9]*"))) - 1
    assert told["node_processes_threads"] == len(list(PROC.glob("[0-9]*/task/*"))) - 4
