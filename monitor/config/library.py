"""Boards by name: the built-in ones, and those in files of their own."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from .board import Board
from .problems import ConfigError, Problem, nearest
from .reader import Document, read_file, read_own

BUILT_IN = Path(str(files("monitor"))) / "boards"
FOUND = "found"
"""What stands for the built-in boards that show something on this host (monitor/config/present.py)."""
DEFAULT = ("overview", FOUND)
"""What a configuration names that names no boards."""


def built_in() -> list[str]:
    """Names of the boards that come with the service."""
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


def is_built_in(path: Path) -> bool:
    """Whether a file comes with the service, so that nobody else changes it."""
    return path.parent == BUILT_IN


def default_boards() -> tuple[Board, ...]:
    """The boards of a configuration that names none, on a host of which nothing is known."""
    return (own_board(BUILT_IN / "overview.yaml"),)


@cache
def own_board(path: Path) -> Board:
    """A built-in board; tests have judged its queries."""
    return Board.model_validate(read_own(path).data)


def find(name: str, folder: Path) -> Path | str:
    """The file of a board that a configuration in `folder` names; a text that says what was expected if
    none has it."""
    if name in built_in():
        return BUILT_IN / f"{name}.yaml"
    if not name.endswith((".yaml", ".yml")):
        near = nearest(name, built_in())
        meant = f" (did you mean {near}?)" if near else ""
        names = ", ".join(built_in())
        return f"a built-in board, which are {names}{meant}, or {FOUND}, or a path that ends in .yaml"
    path = folder / Path(name).expanduser()
    return path if path.is_file() else f"the path of a file, and there is none at {path}"


def open_board(path: Path) -> Document:
    """What a board's file says; a file that cannot be read, or says nothing, has that problem."""
    try:
        document = read_file(path)
    except ConfigError as error:
        return Document(None, {}, list(error.problems), set())
    if document.data is None and not document.problems:
        text = "found an empty file, expected a board, which has a name, a title and panels"
        document.problems.append(Problem(document.places[()].value, "", text))
    return document
