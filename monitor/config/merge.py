"""Settings as a reload may take them: what needs a restart stays as it is."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from .fields import is_group, takes
from .problems import ConfigError, Place, Problem
from .section import Takes
from .settings import Settings

Group = TypeVar("Group", bound=BaseModel)


def merged(old: Settings, new: Settings, place: Place) -> Settings:
    """The new settings, with the old values of those that need a restart.

    Raises ConfigError, at the place of the file, where the two do not go together.
    """
    found = _merged(old, new)
    try:
        Settings.model_validate(_values(found))
    except ValidationError as error:
        wrong = "; ".join(each["msg"] for each in error.errors(include_url=False))
        text = f"cannot be taken without a restart: with what needs one left as it was, expected {wrong}"
        raise ConfigError([Problem(place, "", text)]) from None
    return found


def _merged(old: Group, new: Group) -> Group:
    kept: dict[str, object] = {}
    for name, field in type(new).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if is_group(field):
            kept[name] = _merged(before, after)
        elif takes(field) is Takes.RESTART:
            kept[name] = before
    return new.model_copy(update=kept)


def _values(group: BaseModel) -> dict[str, object]:
    """Groups as what is in them, so that they are judged again."""
    return {
        name: _values(value) if is_group(field) else value
        for name, field in type(group).model_fields.items()
        for value in [getattr(group, name)]
    }
