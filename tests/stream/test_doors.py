from monitor.stream.doors import Doors


def test_the_house_is_full() -> None:
    doors = Doors(clients=2, per_address=2)
    doors.enter("a")
    assert not doors.full_for("b")
    doors.enter("b")
    assert doors.full_for("c")
    doors.leave("a")
    assert not doors.full_for("c")


def test_one_address_takes_no_more_than_its_share() -> None:
    doors = Doors(clients=10, per_address=1)
    doors.enter("a")
    assert doors.full_for("a")
    assert not doors.full_for("b")


def test_addresses_that_left_are_forgotten() -> None:
    doors = Doors(clients=10, per_address=1)
    doors.enter("a")
    doors.leave("a")
    assert not doors.inside
