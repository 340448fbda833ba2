"""The short form of `python -m tests.faults --only display`; in Chromium it is tests/e2e/test_names.py."""

from __future__ import annotations

from tests.faults.display import Outcome, is_device, told
from tests.faults.guests import invited
from tests.faults.names import hostile_names, legend, mount, mount_points, quoted, shown


def test_three_hundred_names_are_different_and_the_same_again() -> None:
    names = hostile_names(300, 1)
    assert len(set(names)) == 300
    assert names == hostile_names(300, 1)
    assert sum("<script" in name for name in names) >= 50
    assert any(len(name) >= 20_000 for name in names)


def test_what_deceives_is_written_out() -> None:
    assert shown("a\u202eb\0") == "a\\u202eb\\u0000"
    assert legend("{{ job }} {{none}}\u2066", {"job": "<b>"}) == "<b> \\u2066"
    assert quoted('"\n') == '"\\U00000022\\U0000000a"'


def test_names_are_made_fit_for_where_they_stand() -> None:
    assert is_device("<img/src") is False
    assert is_device("<x>")


def test_guests_and_mounts_are_as_many_as_there_are_names_for() -> None:
    names = hostile_names(300, 1)
    guests = invited(names)
    assert len({guest.user for guest in guests}) == len(guests) > 50
    assert any("<script>" in guest.agent for guest in guests)
    assert mount(b"/a\nb \\") == b"/dev/hostile /a\\012b\\040\\134 ext4 rw 0 0\n"
    assert not any(b"\0" in point for point in mount_points(names))


def test_a_script_that_ran_stands_out() -> None:
    found = Outcome(ran=1, violations=["img-src"])
    found.compare("legends", ["a", "b"], ["a", "c"])
    assert [row.held for row in told(found)] == [True, False, False, False, True]
