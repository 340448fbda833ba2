"""An expression as a tree of values: immutable, comparable, and printed in one normal form."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, fields
from typing import Any

from monitor.storage import Matcher

IDENTIFIER = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SETS = frozenset({"and", "or", "unless"})


class Part:
    """Compared by its fields.  Its hash is worked out once: live queries are looked up by it every tick."""

    __slots__ = ("_fields", "_hash")
    _fields: tuple[Any, ...]
    _hash: int

    def __post_init__(self) -> None:
        compared = [each.name for each in fields(self) if each.compare]  # type: ignore[arg-type]
        found = tuple([getattr(self, name) for name in compared])
        object.__setattr__(self, "_fields", found)
        object.__setattr__(self, "_hash", hash((type(self), found)))

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self._fields == other._fields)

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True, eq=False)
class Number(Part):
    """A literal number."""

    value: float

    def __str__(self) -> str:
        if math.isinf(self.value):
            return "Inf" if self.value > 0 else "-Inf"
        if math.isnan(self.value):
            return "NaN"
        return str(int(self.value)) if self.value == int(self.value) < 1e15 else repr(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Text(Part):
    """A literal string."""

    value: str

    def __str__(self) -> str:
        return quoted(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Selector(Part):
    """Series chosen by matchers, at the time asked for, or always at `at`, less `offset` (milliseconds)."""

    matchers: tuple[Matcher, ...]
    offset: int = 0
    at: int | None = None
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.spelled("")

    def spelled(self, window: str) -> str:
        """The selector with a window in brackets behind its matchers."""
        name, rest = "", list(self.matchers)
        for matcher in self.matchers:
            if (
                matcher.label == "__name__"
                and matcher.operator == "="
                and IDENTIFIER.fullmatch(matcher.value)
            ):
                name = matcher.value
                rest.remove(matcher)
                break
        conditions = ", ".join(f"{label(one.label)}{one.operator}{quoted(one.value)}" for one in rest)
        text = name + (f"{{{conditions}}}" if rest else "") + window
        if self.at is not None:
            text += f" @ {Number(self.at / 1000)}"
        return text + (f" offset {duration(self.offset)}" if self.offset else "")


@dataclass(frozen=True, slots=True, eq=False)
class Window(Part):
    """The samples of a selector in the `length` milliseconds up to each time."""

    selector: Selector
    length: int

    def __str__(self) -> str:
        return self.selector.spelled(f"[{duration(self.length)}]")


@dataclass(frozen=True, slots=True, eq=False)
class Call(Part):
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True, eq=False)
class Grouping(Part):
    """Label names: `on` and `by` keep these, `ignoring` and `without` (include is false) all others."""

    include: bool
    labels: tuple[str, ...]

    def spelled(self, include: str, exclude: str) -> str:
        return f"{include if self.include else exclude} ({', '.join(map(label, self.labels))})"


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate(Part):
    """An aggregation over the groups of a vector."""

    operator: str
    argument: Node
    parameter: Node | None
    grouping: Grouping
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        groups = ""
        if self.grouping.labels or not self.grouping.include:
            groups = f" {self.grouping.spelled('by', 'without')} "
        parameter = "" if self.parameter is None else f"{self.parameter}, "
        return f"{self.operator}{groups}({parameter}{self.argument})"


@dataclass(frozen=True, slots=True, eq=False)
class Matching(Part):
    """How the series of two vectors find each other."""

    grouping: Grouping
    many: str = ""
    """The side that may have several series for one of the other side: "left", "right" or none."""
    copied: tuple[str, ...] = ()
    """Labels that the many take over from the one."""

    def __str__(self) -> str:
        plain = not self.grouping.labels and not self.grouping.include and not self.many
        text = "" if plain else f" {self.grouping.spelled('on', 'ignoring')}"
        return text + (f" group_{self.many} ({', '.join(map(label, self.copied))})" if self.many else "")


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Part):
    """An operator between two expressions; `matching` counts only between vectors."""

    operator: str
    left: Node
    right: Node
    matching: Matching
    returns_bool: bool = False
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        boolean = " bool" if self.returns_bool else ""
        return f"{operand(self.left)} {self.operator}{boolean}{self.matching} {operand(self.right)}"


@dataclass(frozen=True, slots=True, eq=False)
class Negation(Part):
    """Unary minus."""

    argument: Node

    def __str__(self) -> str:
        return f"-{operand(self.argument)}"


Node = Number | Text | Selector | Window | Call | Aggregate | Binary | Negation


def operand(node: Node) -> str:
    """A node as one side of an operator, in parentheses where precedence could tear it apart."""
    text = str(node)
    return f"({text})" if isinstance(node, Binary | Negation) or text.startswith("-") else text


def label(name: str) -> str:
    return name if IDENTIFIER.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def duration(milliseconds: int) -> str:
    """A duration in PromQL's notation, as `1h30m`."""
    text, rest = "-" if milliseconds < 0 else "", abs(milliseconds)
    for unit, size in UNITS:
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return text or "0s"
