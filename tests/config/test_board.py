"""Boards: built in, in files of their own, or in the configuration itself."""

import re
from pathlib import Path

import pytest

from monitor.config import Board, ConfigError, load
from monitor.config.library import BUILT_IN, built_in
from monitor.config.reader import read_file, read_own

MINE = """name: mine
title: Mine
headline:
  - title: Load
    queries: [{query: node_load1}, {query: node_load5}]
    details: [{query: node_load15}]
panels:
  - title: Load
    queries: [{query: node_load1}, {query: 'count(up)', role: limit}]
"""


def boards(folder: Path, text: str) -> tuple[Board, ...]:
    path = folder / "config.yaml"
    path.write_text(text)
    return load(path, {}, {}).settings.boards


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        boards(folder, text)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_board_stands_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    mine, overview = boards(tmp_path, "boards: [mine.yaml, overview]")
    assert (mine.title, overview.title) == ("Mine", "Overview")


def test_a_board_stands_in_the_configuration(tmp_path: Path) -> None:
    indented = MINE.replace("\n", "\n    ")
    assert boards(tmp_path, f"boards:\n  - {indented}")[0].panels[0].queries[1].role == "limit"


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_board_asks_for_what_this_host_s_collectors_give(tmp_path: Path, name: str) -> None:
    (board,) = boards(tmp_path, f"boards: [{name}]")
    assert board.name == name
    drawn = [*(each.queries for each in board.headline), *(each.queries for each in board.panels)]
    queries = [query.query for each in drawn for query in each]
    asked = set(re.findall(r"\b(?:node|container|DCGM_FI|probe)_\w+\b(?!\()", " ".join(queries)))
    asked -= {"node_hwmon_"}  # The beginning of a pattern.
    told = set(re.findall(r"\| `(\w+)` \|", (Path(__file__).parents[2] / "docs/metrics.md").read_text()))
    assert asked
    assert asked <= told


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_board_is_read_in_a_hurry_and_says_the_same(name: str) -> None:
    careful = read_file(BUILT_IN / f"{name}.yaml")
    assert careful.problems == []
    assert read_own(BUILT_IN / f"{name}.yaml").data == careful.data


def test_a_copy_of_the_built_in_board_needs_a_name_of_its_own(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "monitor" / "boards" / "overview.yaml"
    (tmp_path / "copy.yaml").write_text(source.read_text())
    try:
        boards(tmp_path, "boards: [overview, copy.yaml]")
    except ConfigError as error:
        (problem,) = error.problems
    assert problem.place.name == str(tmp_path / "copy.yaml")
    assert (problem.path, problem.text) == (
        "name",
        'found "overview", expected a name that no board before it has',
    )


def test_a_board_that_cannot_be_read_or_parsed_names_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "torn.yaml").write_text("name: [")
    none, empty, torn = problems(tmp_path, "boards: [torn.yaml, empty.yaml, none.yaml]")
    assert none.startswith('config.yaml:1:33: boards[2]: found "none.yaml", expected the path of a file')
    assert (
        empty == "empty.yaml:1:1: found an empty file, expected a board, which has a name, a title and panels"
    )
    assert torn.startswith("torn.yaml:1:8: not YAML: while parsing a flow node")


def test_a_configuration_without_boards_has_the_overview(tmp_path: Path) -> None:
    assert [board.name for board in boards(tmp_path, "{}")] == ["overview"]
