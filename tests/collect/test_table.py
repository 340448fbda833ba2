"""Numbers out of texts whose words stay where they are."""

from collections.abc import Iterator

import pytest

from monitor.collect.lines import Lines
from monitor.collect.table import HELD, PLANS, Cell, Entry, Table, is_number, layout
from monitor.model import Kind, Metric

METRIC = Metric("value", Kind.GAUGE, "A value.")


class Pairs:
    """Reads `name number` pairs, and counts how often the words are looked at."""

    def __init__(self, per: float = 1) -> None:
        self.looked = 0
        self.per = per
        self.table = Table(self.cells)

    def cells(self, words: list[str]) -> Iterator[Cell]:
        self.looked += 1
        for place, name in enumerate(words[::2]):
            yield Cell(METRIC.at(name=name), 2 * place + 1, self.per)

    def read(self, text: str) -> dict[str, float]:
        layout, values = self.table.block(text)
        return {series.labels[0][1]: value for series, value in zip(layout.series, values, strict=True)}


def test_words_are_looked_at_once_while_only_numbers_change() -> None:
    pairs = Pairs()
    assert [pairs.read(f"a {number} b -1.5") for number in (1, 22)] == [
        {"a": 1, "b": -1.5},
        {"a": 22, "b": -1.5},
    ]
    assert pairs.looked == 1


@pytest.mark.parametrize("changed", ["a 1 c 2", "b 1 a 2", "a 1", "a 1 b 2 c 3", ""])
def test_a_word_that_changed_or_moved_is_noticed(changed: str) -> None:
    pairs = Pairs()
    pairs.read("a 1 b 2")
    assert pairs.read(changed) == Pairs().read(changed)
    assert pairs.looked == 2


def test_a_number_that_is_none_any_more_is_refused() -> None:
    pairs = Pairs()
    pairs.read("a 1 b 2")
    with pytest.raises(ValueError, match="'x'"):
        pairs.read("a x b 2")


def test_words_that_come_back_have_the_layout_they_had() -> None:
    pairs = Pairs()
    first = pairs.table.block("a 1").layout
    pairs.table.block("b 1")
    assert pairs.table.block("a 2").layout is first
    assert pairs.looked == 2


def test_the_layouts_that_are_kept_are_bounded() -> None:
    pairs = Pairs()
    for number in range(3 * PLANS):
        pairs.read(f"word{number} 1")
    assert len(pairs.table._plans) == PLANS


def test_a_layout_is_the_same_for_as_long_as_anybody_has_it() -> None:
    gauge = Metric("layout_test", Kind.GAUGE, "Of this test.")

    def entries() -> tuple[Entry, ...]:
        return gauge.at(a="1"), gauge.at(a="2")

    first = layout(entries())
    assert layout(entries()) is first
    assert layout(entries()[:1]) is not first
    del first
    assert entries() not in HELD, "nobody has it, and a host of many groups makes one for each set of them"


def test_units_are_changed_by_how_many_make_one() -> None:
    assert Pairs(per=1000).read("a 238") == {"a": 0.238}
    assert Pairs(per=1 / 512).read("a 3") == {"a": 1536}


def test_the_same_text_gives_the_same_block() -> None:
    pairs = Pairs()
    assert pairs.table.block("a 1") is pairs.table.block("a " + "1")


@pytest.mark.parametrize("name", ["a\x1cb", "a\u2003b", "a\x85b", "a\u2028b", "\u3000"])
def test_a_name_may_hold_what_is_a_blank_to_others(name: str) -> None:
    assert Pairs().read(f"  x 1\n {name} 2\n") == {"x": 1.0, name: 2.0}


def test_a_number_is_told_from_a_name() -> None:
    assert all(map(is_number, ["0", "12", "-1", "0.15", "18446744073709551615"]))
    assert not any(map(is_number, ["", "-", "cpu0", "1/92", "2.5.1", "0x1f", "1e5", "nan"]))


def test_a_few_of_many_lines_are_found_by_name() -> None:
    lines = Lines(lambda name: METRIC if name in ("b", "d") else None)
    assert list(lines.block("a 1\nb 2\nbb 3\nc 4\nd 5\n").values) == [2, 5]
    assert list(lines.block("a 1\nb 20\nbb 3\nc 4\nd 50\n").values) == [20, 50]


@pytest.mark.parametrize(
    ("changed", "values"),
    [("a 1\nd 6\n", [6]), ("d 6\nb 7\n", [6, 7]), ("b 7\nx 1\nd 8\n", [7, 8]), ("", [])],
)
def test_lines_that_went_or_moved_are_noticed(changed: str, values: list[float]) -> None:
    lines = Lines(lambda name: METRIC if name in ("b", "d") else None)
    lines.block("a 1\nb 2\nd 5\n")
    assert list(lines.block(changed).values) == values
