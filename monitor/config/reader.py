"""YAML text as plain data, with the place of every value.

The plain scalars are those of YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3.2) but for 0x, 0o
and infinities, so `no`, `on`, `22:22` and dates are text.  Keys that stand twice are refused, and so are
tags, and a text that is much larger than it looks.
"""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .problems import ConfigError, Key, Place, Problem, dotted, shown

MAX_DEPTH = 32
MAX_VALUES = 20_000
"""Values in one text, those of aliases counted at every use."""
HALF = re.compile("[\ud800-\udfff]")
"""Half a character (a surrogate): what an escape can write, and no text can hold."""
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
PLAIN_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Written(NamedTuple):
    """Where one setting stands."""

    key: Place
    value: Place


class Document(NamedTuple):
    """What a text says."""

    data: Any
    """Mappings, lists and scalars; None for a text without content."""
    places: dict[Key, Written]
    problems: list[Problem]
    refused: set[Key]
    """Key paths of values that have a problem."""


class Composer(yaml.SafeLoader):
    """Composes nodes, to a limited depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth > MAX_DEPTH:
            raise too_deep(parent)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        if half := HALF.search(node.value):
            raise refusal(node, f"found half a character (U+{ord(half[0]):04X}), expected whole ones")
        return node


class Quick(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes in C where PyYAML has that, in an eighth of the time, and trusts the text."""


# Every plain scalar is text to PyYAML, whose own rules are YAML 1.1's.
Composer.yaml_implicit_resolvers = {}
Quick.yaml_implicit_resolvers = {}


def too_deep(node: yaml.Node | None) -> yaml.MarkedYAMLError:
    return refusal(node, f"found more than {MAX_DEPTH} levels, expected a flatter file")


def refusal(node: yaml.Node | None, text: str) -> yaml.MarkedYAMLError:
    return yaml.composer.ComposerError(None, None, text, node.start_mark if node else None)


def read_file(path: Path) -> Document:
    """The document of a file.  Raises ConfigError when it cannot be read."""
    name = str(path)
    try:
        content = path.read_bytes()
        return read(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(name, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        text = f"found the byte 0x{content[error.start]:02x}, expected text in UTF-8"
    except OSError as error:
        place = Place(name)
        text = f"cannot be read ({error.strerror}), expected a YAML file that this user may read"
    raise ConfigError([Problem(place, "", text)])


def read_own(path: Path) -> Document:
    """The document of a file that comes with the service, and is right."""
    return Walk(str(path)).document(yaml.compose(path.read_text("utf-8"), Loader=Quick))


def read(text: str, name: str) -> Document:
    """The document of a text.  A text that is not YAML, or holds what we refuse, has problems and no data."""
    composer: Composer | None = None
    try:
        composer = Composer(text)
        return Walk(name).document(composer.get_single_node())
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(name, before.count("\n") + 1, error.position - before.rfind("\n"))
        problem = f"found the character U+{ord(text[error.position]):04X}, expected printable text"
        return Document(None, {}, [Problem(place, "", problem)], set())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        if not isinstance(error, yaml.composer.ComposerError):
            problem = f"not YAML: {problem}"
        return Document(None, {}, [Problem(place_at(name, mark), "", problem)], set())
    finally:
        if composer is not None:
            composer.dispose()


def place_at(name: str, mark: yaml.Mark | None) -> Place:
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)


def scalar(text: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted) scalar."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


class Walk:
    """One pass over the nodes of a text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Key, Written] = {}
        self.problems: list[Problem] = []
        self.refused: set[Key] = set()
        self.values = 0

    def document(self, node: yaml.Node | None) -> Document:
        start = place_at(self.name, node.start_mark) if node else Place(self.name, 1, 1)
        self.places[()] = Written(start, start)
        data = None if node is None else self.value(node, ())
        return Document(data, self.places, self.problems, self.refused)

    def value(self, node: yaml.Node, key: Key) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise refusal(node, f"found more than {MAX_VALUES:,} values, expected a smaller file")
        if len(key) > MAX_DEPTH:
            raise too_deep(node)
        place = place_at(self.name, node.start_mark)
        self.places[key] = Written(self.places[key].key if key in self.places else place, place)
        if node.tag != PLAIN_TAGS[type(node)]:
            self.refused.add(key)
            self.problem(place, key, f"found the tag {shown(node.tag)}, expected a value without a tag")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*key, index)) for index, child in enumerate(node.value)]
        return scalar(node.value) if isinstance(node, yaml.ScalarNode) and not node.style else node.value

    def mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, child in node.value:
            place = place_at(self.name, name_node.start_mark)
            if not isinstance(name_node, yaml.ScalarNode):
                self.problem(place, key, "found a list or a group as a name, expected the name of a setting")
                continue
            name = name_node.value
            path = (*key, name)
            if name in values:
                first = self.places[path].key
                self.problem(place, path, f"found twice, expected once; first on line {first.line}")
                continue
            self.places[path] = Written(place, place)
            values[name] = self.value(child, path)
        return values

    def problem(self, place: Place, key: Key, text: str) -> None:
        self.problems.append(Problem(place, dotted(key), text))
