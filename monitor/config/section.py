"""What all groups of settings share: unknown names are errors, types are not guessed, nothing changes
later."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .change import Takes as Takes
from .problems import expected


class Secret:
    """Marks a setting whose value nobody is shown: not in a list of settings, a difference or a problem."""


class Section(BaseModel):
    """A group of settings.  A group that is written without content keeps its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def keep_defaults(cls, value: Any) -> Any:
        return {} if value is None else value


class Switch(Section):
    """A part that can be turned off; in the file, `true` or `false` alone stands for the switch."""

    enabled: Annotated[bool, Takes.RELOAD] = True
    """Whether it is on."""

    @model_validator(mode="before")
    @classmethod
    def expand(cls, value: Any) -> Any:
        return {"enabled": value} if isinstance(value, bool) else value


class Off(Switch):
    """A part that can be turned on; in the file, `true` or `false` alone stands for the switch."""

    enabled: Annotated[bool, Takes.RELOAD] = False
    """Whether it is on."""


def read_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise expected(f"a regular expression ({error.msg} at position {error.pos})") from None
    return text


def read_folder(value: object) -> object:
    path = Path(value) if isinstance(value, str) else value
    if not isinstance(path, Path) or not path.is_absolute():
        raise expected("the absolute path of a folder, such as /proc")
    return path


@dataclass(frozen=True)
class Form:
    """How a value is written, in words, for the documentation."""

    text: str


Pattern = Annotated[
    str,
    AfterValidator(read_pattern),
    Form("regular expression"),
    Field(json_schema_extra={"format": "regex"}),
]
"""A regular expression (Python's `re`), as text."""
Folder = Annotated[Path, BeforeValidator(read_folder), Form("absolute path")]
"""An absolute path."""
