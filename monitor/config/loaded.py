"""The settings of a deployment, and where each comes from: defaults, then file, then environment, then
flags."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from . import environment, fields
from .check import Judge, check
from .draft import DEFAULT, Draft
from .problems import ConfigError, Place, Problem, dotted, parts, shown
from .reader import Document, read_file
from .settings import Settings

SHORT_FLAGS = {"server.listen": "--listen"}
"""Flags that stand for `--set` with this key path."""


class Loaded(NamedTuple):
    """Settings that are right, and the place that gave each its value."""

    settings: Settings
    sources: Mapping[str, Place]
    """By key path with dots, for every setting; `Place("default")` where nobody gave a value."""
    files: Sequence[Path]
    """Read, the config file first."""

    @property
    def fixed(self) -> dict[str, str]:
        """By key path, the variable or flag that gave a setting its value."""
        given = self.sources.items()
        return {path: place.name for path, place in given if not place.line and place != DEFAULT}


def load(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str], judge: Judge | None = None
) -> Loaded:
    """The settings of a file (None: no file), overridden by variables and then by flags (key path to text).

    Raises ConfigError with every problem there is; queries are judged where somebody can.
    """
    draft = drafted(path, environ, flags)
    settings = check(draft, judge)
    return Loaded(settings, dict(sources(draft)), [file for file in (path, *draft.files) if file])


def drafted(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, str]) -> Draft:
    """What is written, not checked yet.  Raises ConfigError where the file cannot be read."""
    draft = Draft(open_config(path), path.parent if path else Path())
    environment.apply(draft, environ)
    for key, text in flags.items():
        draft.override(parts(key), text, SHORT_FLAGS.get(key, f"--set {key}"))
    draft.expand_switches()
    draft.include_boards()
    draft.include_secrets(environ)
    return draft


def sources(draft: Draft) -> Iterator[tuple[str, Place]]:
    for setting in fields.settings(Settings):
        written = draft.places.get(setting.key)
        yield dotted(setting.key), written.value if written else DEFAULT


def open_config(path: Path | None) -> Document:
    """What the file says.  Raises ConfigError where that is not a group of settings."""
    if path is None:
        return Document({}, {}, [], set())
    document = read_file(path)
    if not isinstance(document.data, dict):
        problems = document.problems or [not_settings(path, document)]
        raise ConfigError(problems)
    return document


def not_settings(path: Path, document: Document) -> Problem:
    if document.data is None:
        text = "found an empty file, expected settings, or {} to use the default of every setting"
    else:
        text = f"found {shown(document.data)}, expected settings such as server: and collect:"
    return Problem(document.places[()].value._replace(name=str(path)), "", text)
