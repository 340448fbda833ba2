"""Query text to a tree: promql-parser knows the grammar, this adds positions, limits and a normal form."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from monitor.promql.aggregations import AGGREGATIONS
from monitor.promql.errors import QueryError
from monitor.promql.functions import FUNCTIONS
from monitor.promql.grammar import grammar
from monitor.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Grouping,
    Matching,
    Negation,
    Node,
    Number,
    Selector,
    Text,
    Window,
)
from monitor.promql.operators import OPERATORS
from monitor.promql.syntax import is_grammar, locate
from monitor.promql.tokens import Token, outline, scan, unquote
from monitor.storage import Matcher, Operator

MOST_DEPTH = 60
FARTHEST = 1 << 53
"""Milliseconds: what a float holds exactly, some 285,000 years."""
PLACEHOLDER = "\N{SECTION SIGN}"
HALF = re.compile("[\ud800-\udfff]")
"""Half a character (a surrogate), which JSON can write and no text can hold."""
MATCH_OPERATORS: dict[str, Operator] = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
ValueType = Literal["vector", "scalar", "matrix", "string"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed expression.  Two queries are equal when their normal forms are."""

    text: str
    """The normal form."""
    root: Node = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Query:
    """Parse PromQL.  Raises QueryError, with the position in `text`, for what is wrong or not supported."""
    if half := HALF.search(text):
        raise QueryError("half a character, which is no text", half.start())
    words = scan(text)
    if not words:
        raise QueryError("no expression found in input", 0)
    strings = [unquote(word) for word in words if word.kind == "string"]
    try:
        tree = grammar().parse(without_strings(words))
    except (ValueError, OverflowError) as error:
        raise explained(str(error), words, strings) from error
    root = Reader(words, strings).read(tree)
    return Query(str(root), root)


def value_type(query: Query) -> ValueType:
    """What an evaluation at one instant gives."""
    return type_of(query.root)


def type_of(node: Node) -> ValueType:
    match node:
        case Number():
            return "scalar"
        case Text():
            return "string"
        case Window():
            return "matrix"
        case Call(function=name):
            return "scalar" if name in ("time", "scalar") else "vector"
        case Binary(left=left, right=right):
            return "scalar" if type_of(left) == type_of(right) == "scalar" else "vector"
        case Negation(argument=argument):
            return type_of(argument)
    return "vector"


def without_strings(words: list[Token]) -> str:
    """The text without comments, and with each string replaced by a sign and its number."""
    pieces, place, number = [], 0, 0
    for word in words:
        # Words that touched must touch again: `5m` is one, and so are `a` and `:b`.
        pieces.append(" " if word.position > place else "")
        pieces.append(f'"{PLACEHOLDER}{number}"' if word.kind == "string" else word.text)
        place, number = word.end, number + (word.kind == "string")
    return "".join(pieces)


def restored(text: str, strings: list[str]) -> str:
    return re.sub(f"{PLACEHOLDER}([0-9]+)", lambda match: strings[int(match[1])], text)


def explained(message: str, words: list[Token], strings: list[str]) -> QueryError:
    """The parser's message with the position that it speaks of."""
    if is_grammar(message) and not message.startswith("bad number"):
        return locate(words)
    named = re.search(r"'([^']+)'|syntax: ([\w.]+)", message)
    name = next((group for group in named.groups() if group), "") if named else ""
    position = next((word.position for word in words if word.text == name), None)
    if position is None:
        position = next((word.position for word in words if name and word.text.startswith(name)), 0)
    return QueryError(restored(message, strings), position)


class Reader:
    """Turns the parser's tree into ours, walking along the words to know where each part stands."""

    def __init__(self, words: list[Token], strings: list[str]) -> None:
        self._words = outline(words)
        self._quoted = [word for word in words if word.kind == "string"]
        self._next = 0
        self._strings = strings
        self._readers: dict[str, Callable[[Any, int], Node]] = {
            "NumberLiteral": self._number,
            "StringLiteral": self._text,
            "ParenExpr": lambda tree, depth: self.read(tree.expr, depth),
            "VectorSelector": lambda tree, _: self._selector(tree),
            "MatrixSelector": self._window,
            "Call": self._call,
            "AggregateExpr": self._aggregate,
            "BinaryExpr": self._binary,
            "UnaryExpr": self._negation,
        }

    def read(self, tree: Any, depth: int = 0) -> Node:
        if depth > MOST_DEPTH:
            raise QueryError(f"expression nested deeper than {MOST_DEPTH} levels", self._here())
        return self._readers[type(tree).__name__](tree, depth + 1)

    def _here(self) -> int:
        return self._words[min(self._next, len(self._words) - 1)].position

    def _find(self, accepts: Callable[[Token], bool]) -> int:
        """The position of the next word of a kind, which becomes the place to go on from."""
        for place in range(self._next, len(self._words)):
            if accepts(self._words[place]):
                self._next = place + 1
                return self._words[place].position
        return self._here()

    def _find_text(self, text: str) -> int:
        return self._find(lambda word: word.text.lower() == text.lower())

    def _string(self, text: str) -> str:
        return restored(text, self._strings)

    def _number(self, tree: Any, _: int) -> Node:
        self._find(lambda word: word.kind == "number" or word.text.lower() in ("inf", "nan"))
        # Zeros of either sign are equal, and a division by them is not.
        return (
            Negation(Number(0.0)) if (tree.val, math.copysign(1, tree.val)) == (0, -1) else Number(tree.val)
        )

    def _text(self, tree: Any, _: int) -> Text:
        self._find(lambda word: word.kind == "string")
        return Text(self._string(tree.val))

    def _selector(self, tree: Any) -> Selector:
        position = self._find_text(tree.name or "{")
        if tree.matchers.or_matchers:
            raise QueryError("alternatives (or) between matchers are not supported", position)
        matchers = [self._matcher(one) for one in tree.matchers.matchers]
        if tree.name:
            matchers.append(Matcher("__name__", "=", tree.name))
        if all(matcher.matches("") for matcher in matchers):
            raise QueryError("vector selector must contain at least one non-empty matcher", position)
        matchers.sort(key=lambda one: (one.label, one.operator, one.value))
        offset = bounded(lambda: milliseconds(tree.offset), position)
        return Selector(tuple(matchers), offset, self._at(tree.at), position)

    def _matcher(self, tree: Any) -> Matcher:
        operator = MATCH_OPERATORS[str(tree.op).rpartition(".")[2]]
        label, value = self._string(tree.name), self._string(tree.value)
        try:
            return Matcher(label, operator, value)
        except ValueError as error:
            position = self._quoted[int(tree.value.removeprefix(PLACEHOLDER))].position
            raise QueryError(f"invalid pattern {value!r} for label {label}: {error}", position) from error

    def _at(self, tree: Any) -> int | None:
        """The time behind `@`, read from the words: the parser panics when asked for one before 1970."""
        if tree is None:
            return None
        position = self._find_text("@")
        words = [word.text for word in self._words[self._next : self._next + 2]]
        sign = -1.0 if words[0] == "-" else 1.0
        number = words[words[0] in "+-"]
        if tree.type != grammar().AtModifierType.At:
            raise QueryError(f"@ {number}() is not supported", position)
        literal: Any = grammar().parse(number)
        return bounded(lambda: round(sign * literal.val * 1000), position)

    def _window(self, tree: Any, _: int) -> Window:
        selector = self._selector(tree.vector_selector)
        return Window(selector, bounded(lambda: milliseconds(tree.range), selector.position))

    def _call(self, tree: Any, depth: int) -> Call:
        name = tree.func.name
        position = self._find_text(name)
        if name not in FUNCTIONS:
            raise QueryError(f"function {name} is not supported", position)
        return Call(name, tuple([self.read(argument, depth) for argument in tree.args]), position)

    def _aggregate(self, tree: Any, depth: int) -> Aggregate:
        operator = str(tree.op)
        position = self._find_text(operator)
        if operator not in AGGREGATIONS:
            raise QueryError(f"aggregation {operator} is not supported", position)
        modifier = tree.modifier
        grouping = Grouping(True, ())
        if modifier is not None:
            include = modifier.type == grammar().AggModifierType.By
            grouping = Grouping(include, self._labels(modifier.labels))
        parameter = None if tree.param is None else self.read(tree.param, depth)
        return Aggregate(operator, self.read(tree.expr, depth), parameter, grouping, position)

    def _labels(self, labels: list[str] | None) -> tuple[str, ...]:
        return tuple(sorted({self._string(label) for label in labels or ()}))

    def _binary(self, tree: Any, depth: int) -> Binary:
        operator, modifier = str(tree.op), tree.modifier
        left = self.read(tree.lhs, depth)
        position = self._find_text(operator)
        if operator not in OPERATORS:
            raise QueryError(f"operator {operator} is not supported", position)
        right = self.read(tree.rhs, depth)
        returns_bool = modifier is not None and modifier.return_bool
        return Binary(operator, left, right, self._matching(modifier, position), returns_bool, position)

    def _matching(self, modifier: Any, position: int) -> Matching:
        if modifier is None:
            return Matching(Grouping(False, ()))
        fill = modifier.fill_values
        if fill is not None and (fill.lhs is not None or fill.rhs is not None):
            raise QueryError("fill values of a vector matching are not supported", position)
        matching = modifier.matching
        grouping = Grouping(False, ())
        if matching is not None:
            include = matching.type == grammar().LabelModifierType.Include
            grouping = Grouping(include, self._labels(matching.labels))
        many = {"ManyToOne": "left", "OneToMany": "right"}.get(str(modifier.card).rpartition(".")[2], "")
        return Matching(grouping, many, self._labels(modifier.group_labels))

    def _negation(self, tree: Any, depth: int) -> Negation:
        self._find_text("-")
        return Negation(self.read(tree.expr, depth))


def milliseconds(duration: timedelta | None) -> int:
    return 0 if duration is None else duration // timedelta(milliseconds=1)


def bounded(read: Callable[[], int], position: int) -> int:
    """A time or duration that arithmetic can hold."""
    try:
        value = read()
    except (ValueError, OverflowError):
        value = FARTHEST
    if abs(value) >= FARTHEST:
        raise QueryError("time or duration out of range", position)
    return value
