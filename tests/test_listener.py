"""Whose port it is."""

import os
import socket
from pathlib import Path

import pytest

from monitor.listener import owner_of


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_owner_of_a_port_that_is_taken_is_named(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        name = Path("/proc/self/comm").read_text().strip()
        assert owner_of(listener.getsockname()[1]) == f"{name} (pid {os.getpid()})"


def test_a_port_that_is_bound_and_not_listened_on_has_no_owner() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert owner_of(bound.getsockname()[1]) is None


def test_an_owner_whose_files_are_closed_to_us_is_unknown(tmp_path: Path) -> None:
    row = "0: 0100007F:228C 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(f"heading\n{row}\n")
    (tmp_path / "7").mkdir()
    assert owner_of(0x228C, tmp_path) is None
    (tmp_path / "7" / "fd").mkdir()
    (tmp_path / "7" / "fd" / "3").symlink_to("socket:[4711]")
    (tmp_path / "7" / "comm").write_text("nginx\n")
    assert owner_of(0x228C, tmp_path) == "nginx (pid 7)"
