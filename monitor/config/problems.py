"""What is wrong with a configuration: where, what was found, what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import PydanticCustomError

Key = tuple[str | int, ...]
"""A key path: names of settings and places in lists."""


class Place(NamedTuple):
    """Where a value was written: a file with line and column, or (line 0) an environment variable or a
    flag."""

    name: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}" if self.line else self.name


class Problem(NamedTuple):
    """One thing to correct."""

    place: Place
    path: str
    """The key path as people write it, `boards[0].panels[2].title`; empty where no setting is concerned."""
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.path}: {self.text}" if self.path else f"{self.place}: {self.text}"


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def expected(what: str) -> PydanticCustomError:
    """The error of a validator: the value is not `what`.  What was found is added where it is reported."""
    from pydantic_core import PydanticCustomError

    return PydanticCustomError("expected", "{what}", {"what": what})


def conflict(section: BaseModel, name: str, other: str, text: str) -> PydanticCustomError:
    """The error of a validator over two settings of a section: the first is not `text`, in view of the
    second.

    Both are paths below the section, with dots; `{other}` in the text becomes the second's value.
    """
    from pydantic_core import PydanticCustomError

    values = section.model_dump(mode="json")
    what = text.replace("{other}", shown(lookup(values, other)).strip('"'))
    return PydanticCustomError(
        "conflict", "{what}", {"what": what, "found": lookup(values, name), "name": name, "other": other}
    )


def lookup(values: Any, path: str) -> Any:
    """The value at a path with dots; a number is a place in a list."""
    for part in parts(path):
        values = values[part]
    return values


def parts(path: str) -> Key:
    """The key of a path with dots."""
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def dotted(key: Key) -> str:
    """The key path as people write it."""
    path = ""
    for part in key:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def shown(value: object) -> str:
    """A value as a person would recognise it in the file."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a group of settings"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str():
            return json.dumps(value if len(value) <= 60 else value[:60] + "…", ensure_ascii=False)
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, 1)), None)
