"""docs/configuration.md, written from the models."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from .board import Board
from .environment import variable
from .example import defaults, is_bare, written
from .fields import Setting, documentation, form, is_group, models, section_of, sections
from .problems import Key, dotted
from .settings import Settings

HEAD = f"""\
# Configuration

One file holds a deployment: `monitor serve --config config.yaml`. Without it every setting has its default;
[config.yaml](../config.yaml), which `monitor config default` prints, holds them all.
`monitor check-config FILE` says everything that is wrong at once, each problem as
`file:line:column: key.path: what was found, what was expected`, and exits with status 2; `monitor serve` says
the same and does not start. Both take the environment into account.

- An environment variable overrides the file: `{variable(("server", "listen"))}` is `server.listen`. Two
  underscores stand for the dot; lists are written as in YAML, `[one, two]`.
- A flag overrides both: `monitor serve --set collect.interval=5s`, or `--listen` for `server.listen`.
- Durations are a whole number and a unit: `500ms`, `15s`, `5m`, `2h`, `30d`. Sizes likewise: `512B`, `64KiB`,
  `1MiB`, `1GiB`. A number without a unit is refused.
- The file is YAML 1.2: `no`, `on` and `12:30` are text. A key that stands twice is an error, and so is a tag.
- Regular expressions are Python's.
- `true` or `false` stands for a group that has `enabled`.
- `monitor config schema` prints a JSON Schema; the first line of config.yaml tells editors that know the YAML
  language server to use `config.schema.json` beside it.
- `monitor config explain FILE` says of each value where it comes from, and `monitor config diff FILE` what a
  running service would make of the file. The last column says what brings a changed setting into effect: a
  `reload` ([operations](operations.md)), or a `restart`.

This page is what `monitor config reference` prints.
"""
BOARDS = """
## A board
`boards` lists what the page offers: the name of a board that comes with the service, the path of a YAML file
with one board (relative to config.yaml), or a board itself. The built-in `monitor/boards/overview.yaml` is
there to be copied: give the copy a name of its own, and change it.
"""


def reference() -> str:
    """The text of docs/configuration.md."""
    parts = [HEAD]
    for key, section in sections(Settings):
        if rows := list(settings_rows(section, key)):
            title = f"`{dotted(key)}`" if key else "The top level"
            parts.append(part(f"## {title}", section, "Setting", rows, "Takes"))
    parts.append(BOARDS)
    boards = dict.fromkeys(models(Board))
    parts += [part(f"### {model.__name__}", model, "Key", list(board_rows(model))) for model in boards]
    return "".join(parts)


def part(heading: str, model: type[BaseModel], what: str, rows: list[list[str]], *more: str) -> str:
    columns = [what, "Default", "Value", "Meaning", *more]
    lines = [columns, ["---"] * len(columns), *rows]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"\n{heading}\n{' '.join((model.__doc__ or '').split())}\n\n{table}"


def settings_rows(section: type[BaseModel], key: Key) -> Iterator[list[str]]:
    """The settings of a group; a switch without options stands in the group around it."""
    values: Any = defaults()
    for name in key:
        values = values[name]
    texts = documentation(section)
    for name, field in section.model_fields.items():
        inner = section_of(field) if is_group(field) else None
        if inner is None and not is_bare(section):
            takes = Setting(key, field, "").takes.value
            yield [*row(name, written(values[name]), form(field), texts[name]), takes]
        elif inner is not None and is_bare(inner):
            takes = Setting(key, inner.model_fields["enabled"], "").takes.value
            on = written(values[name]["enabled"])
            yield [*row(name, on, "true or false", texts.get(name) or inner.__doc__ or ""), takes]


def board_rows(model: type[BaseModel]) -> Iterator[list[str]]:
    """The keys of a part of a board, required ones first."""
    texts = documentation(model)
    for name, field in sorted(model.model_fields.items(), key=lambda each: not each[1].is_required()):
        default = "" if field.is_required() or field.default in (None, ()) else written(field.default)
        yield row(name, default, form(field) + (", required" if field.is_required() else ""), texts[name])


def row(name: str, default: str, kind: str, text: str) -> list[str]:
    """The cells of one setting; a bar in a cell is no border."""
    cells = [f"`{name}`", f"`{default}`" if default else "", kind, text]
    return [cell.replace("|", "\\|") for cell in cells]
