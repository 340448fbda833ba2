"""config.yaml, written from the models: every setting at its default, under a comment."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from .fields import documentation, form, is_group, section_of
from .library import DEFAULT as BOARDS
from .reader import scalar
from .section import Switch
from .settings import Settings

WIDTH = 110
HEAD = """\
# yaml-language-server: $schema=./config.schema.json
#
# Every setting of the service, at its default; what is left out keeps it.  `monitor config default` prints
# this, and `monitor config schema > config.schema.json` beside a config file lets editors complete it.
# Check a file of your own with `monitor check-config FILE`, and use it with `monitor serve --config FILE`.
# Durations are written as 500ms, 15s, 5m, 2h or 30d, sizes as 512B, 64KiB, 1MiB or 1GiB.

"""
PLAIN = re.compile(r"[A-Za-z0-9/~][A-Za-z0-9/~._-]*(:[0-9]+)?")


def example() -> str:
    """The text of config.yaml."""
    return HEAD + "".join(f"{line}\n" for line in group(Settings, defaults(), ""))


def defaults() -> dict[str, Any]:
    """Every setting at its default, as a file has it."""
    return {**Settings().model_dump(mode="json"), "boards": [*BOARDS]}


def group(model: type[BaseModel], values: dict[str, Any], indent: str) -> Iterator[str]:
    """The lines of a group, an empty one between its settings."""
    texts = documentation(model)
    for number, (name, field) in enumerate(model.model_fields.items()):
        if number:
            yield ""
        inner = section_of(field) if is_group(field) else None
        if inner is None:
            yield from comment(texts[name], form(field), indent)
            yield f"{indent}{name}: {written(values[name])}"
        elif is_bare(inner):
            yield from comment(texts.get(name) or inner.__doc__ or "", "true or false", indent)
            yield f"{indent}{name}: {written(values[name]['enabled'])}"
        else:
            yield from comment(texts.get(name) or inner.__doc__ or "", "", indent)
            yield f"{indent}{name}:"
            yield from group(inner, values[name], indent + "  ")


def comment(text: str, kind: str, indent: str) -> list[str]:
    """A comment, with how the value is written kept together in brackets at its end."""
    prefix = f"{indent}# "
    words = [*text.split(), *([f"[{kind}]"] if kind else [])]
    lines = [prefix + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append(prefix + word)
        else:
            lines[-1] += f" {word}"
    return lines


def is_bare(section: type[BaseModel]) -> bool:
    """Whether this is a switch without options, for which `true` or `false` is enough."""
    return issubclass(section, Switch) and len(section.model_fields) == 1


def written(value: Any) -> str:
    """A value in YAML that reads back as the same."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        is_plain = PLAIN.fullmatch(value) and scalar(value) == value
        return value if is_plain else "'" + value.replace("'", "''") + "'"
    return json.dumps(value)
