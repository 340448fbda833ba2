"""Settings after they were checked: values by name, without what checked them.

A process that only uses settings needs no models (monitor/config/__init__.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .section import Section
    from .settings import Settings


class Group:
    """A group of settings: an attribute for each.  Equal to what has equal values, a model included."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        yield from self.__dict__.items()

    def __eq__(self, other: object) -> bool:
        return bool(data(self) == data(other))

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} cannot be set: settings do not change")


def plain(settings: Settings) -> Settings:
    """The same settings, made of groups; they can be pickled where there are no models."""
    return cast("Settings", grouped(settings))


def grouped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(grouped, value))
    return Group({name: grouped(each) for name, each in value}) if is_group(value) else value


def data(value: Any) -> Any:
    """A group as what is in it, all through; anything else is itself."""
    if isinstance(value, tuple):
        return tuple(map(data, value))
    return {name: data(each) for name, each in value} if is_group(value) else value


def is_group(value: object) -> bool:
    """Whether this is a group, of whichever kind: both give their values by name."""
    return isinstance(value, Group) or hasattr(value, "model_fields_set")


def options(group: Section) -> dict[str, Any]:
    """The settings of a switch beside `enabled`, by name."""
    return {name: value for name, value in group if name != "enabled"}
