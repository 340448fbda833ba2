"""Counters of cores that step back."""

from pathlib import Path

from monitor.collect import Host
from monitor.collect.cpu import Cpu
from tests.collect.samples import numbers, text


class Cores:
    """A collector over a /proc/stat that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "stat"
        self.host = Host(str(folder), str(folder))
        self.cpu = Cpu()

    def read(self, *rows: str, total: str = "cpu 0 0 0 0 0 0 0 0 0 0") -> dict[str, float]:
        self.file.write_text("\n".join([total, *rows, "intr 1 1", ""]))
        self.host.fresh()
        return {text(series): value for series, value in numbers(self.cpu.collect(self.host)).items()}


def seconds(core: int, mode: str) -> str:
    return f'node_cpu_seconds_total{{cpu="{core}",mode="{mode}"}}'


def test_a_counter_that_slips_back_stays_where_it_was(tmp_path: Path) -> None:
    cores = Cores(tmp_path)
    cores.read("cpu0 100 0 100 1000 500 0 0 0 0 0", "cpu1 1 1 1 1 1 1 1 1 1 1")
    found = cores.read("cpu0 110 0 100 999 498 0 0 0 0 0", "cpu1 2 1 1 1 1 1 1 1 1 1")
    assert found[seconds(0, "user")] == 1.1
    assert found[seconds(0, "idle")] == 10
    assert found[seconds(0, "iowait")] == 5
    assert found[seconds(1, "user")] == 0.02
    found = cores.read("cpu0 110 0 100 1001 499 0 0 0 0 0", "cpu1 2 1 1 1 1 1 1 1 1 1")
    assert (found[seconds(0, "idle")], found[seconds(0, "iowait")]) == (10.01, 5)


def test_a_core_that_was_plugged_in_anew_counts_from_its_beginning(tmp_path: Path) -> None:
    cores = Cores(tmp_path)
    cores.read("cpu0 100 0 100 1000 500 0 0 0 0 0", "cpu1 100 0 100 9000 500 0 0 0 0 0")
    found = cores.read("cpu0 101 0 100 999 500 0 0 0 0 0", "cpu1 1 0 1 20 2 0 0 0 0 0")
    assert found[seconds(0, "idle")] == 10
    assert (found[seconds(1, "idle")], found[seconds(1, "user")]) == (0.2, 0.01)


def test_a_core_that_goes_takes_its_series_along(tmp_path: Path) -> None:
    cores = Cores(tmp_path)
    assert len(cores.read("cpu0 1 1 1 1 1 1 1 1 1 1", "cpu1 1 1 1 1 1 1 1 1 1 1")) == 20
    assert len(cores.read("cpu1 2 1 1 1 1 1 1 1 1 1")) == 10


def test_an_old_kernel_has_fewer_columns_and_a_new_one_may_have_more(tmp_path: Path) -> None:
    assert len(Cores(tmp_path).read("cpu0 1 2 3 4", total="cpu 1 2 3 4")) == 4
    assert len(Cores(tmp_path).read("cpu0" + 14 * " 1", total="cpu" + 14 * " 1")) == 10
