"""Boards by name: the built-in ones, and those in files of their own."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from .board import Board
from .problems import ConfigError, Problem, nearest
from .reader import Document, read_file

BUILT_IN = Path(str(files("monitor"))) / "boards"


def built_in() -> list[str]:
    """Names of the boards that come with the service."""
    return sorted(path.stem for path in BUILT_IN.glob("*.yaml"))


@cache
def default_boards() -> tuple[Board, ...]:
    """The boards of a configuration that names none."""
    document = read_file(BUILT_IN / "overview.yaml")
    if document.problems:
        raise ConfigError(document.problems)
    return (Board.model_validate(document.data),)


def find(name: str, folder: Path) -> Path | str:
    """The file of a board that a configuration in `folder` names; a text that says what was expected if
    none has it."""
    if name in built_in():
        return BUILT_IN / f"{name}.yaml"
    if not name.endswith((".yaml", ".yml")):
        near = nearest(name, built_in())
        meant = f" (did you mean {near}?)" if near else ""
        return f"a built-in board, which are {', '.join(built_in())}{meant}, or a path that ends in .yaml"
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
