"""Durations and sizes as people write them: `15s`, `64KiB`.

Each is text in the file and in the environment, and a number in code (seconds, bytes); it prints back in the
form that was read.  A bare number is refused in a file, because nobody can see its unit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from .problems import expected


@dataclass(frozen=True)
class Quantity:
    """How one kind of quantity is written: a whole number and a unit, counted in the smallest
    unit."""

    name: str
    units: Mapping[str, int]
    """How many of the smallest unit each unit holds, smallest first."""
    scale: int
    """How many of the smallest unit make 1 in code."""
    examples: tuple[str, ...]

    @property
    def pattern(self) -> str:
        return rf"^[0-9]+({'|'.join(self.units)})$"

    def parse(self, text: str) -> int:
        """The quantity in its smallest unit.  Raises ValueError when it is written otherwise."""
        match = re.fullmatch(r"([0-9]{1,15})([A-Za-z]+)", text)
        if match is None or match[2] not in self.units:
            raise ValueError(text)
        return int(match[1]) * self.units[match[2]]

    def read(self, value: object, info: core_schema.ValidationInfo) -> object:
        """The value in code.  Code may give a number; a file (validation with a context) may not."""
        if isinstance(value, int | float) and not isinstance(value, bool) and info.context is None:
            return value
        try:
            count = self.parse(value) if isinstance(value, str) else None
        except ValueError:
            count = None
        if count is None:
            raise expected(f"a {self.name} such as {', '.join(self.examples)}")
        return count // self.scale if self.scale == 1 else count / self.scale

    def write(self, value: float) -> str:
        """The shortest text that reads back as this value, in the largest unit that divides it."""
        count = round(value * self.scale)
        if count == 0:
            return "0" + next(unit for unit, size in self.units.items() if size == self.scale)
        unit, size = [(unit, size) for unit, size in self.units.items() if count % size == 0][-1]
        return f"{count // size}{unit}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(
            self.read,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        del schema, handler
        return {"type": "string", "pattern": self.pattern, "examples": list(self.examples)}


DURATION = Quantity(
    "duration",
    {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000},
    1000,
    ("500ms", "15s", "5m", "2h", "30d"),
)
SIZE = Quantity(
    "size",
    {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40},
    1,
    ("512B", "64KiB", "1GiB"),
)

Duration = Annotated[float, DURATION]
"""Seconds, written as `15s`."""
Size = Annotated[int, SIZE]
"""Bytes, written as `64KiB`."""


@dataclass(frozen=True)
class Between:
    """Bounds of a quantity or a number, both inclusive, written as in the file; None is unbounded."""

    low: str | int
    high: str | int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        low, high = bound(self.low), bound(self.high)

        def check(value: float) -> float:
            if not low <= value <= high:
                raise expected(str(self))
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Numbers have their bounds in the schema; for quantities it knows only how they are written."""
        described = handler(schema)
        if isinstance(self.low, int):
            described["minimum"] = self.low
        if isinstance(self.high, int):
            described["maximum"] = self.high
        return described

    def __str__(self) -> str:
        return f"at least {self.low}" if self.high is None else f"{self.low} to {self.high}"


def bound(text: str | int | None) -> float:
    """A bound as a value in code."""
    if not isinstance(text, str):
        return float("inf") if text is None else text
    quantity = SIZE if text.endswith("B") else DURATION
    return quantity.parse(text) / quantity.scale
