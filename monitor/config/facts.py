"""What settings say, as text for people and as marks to compare.

A secret has no text, and its mark is a keyed digest, so that a change is seen and the value is not.
"""

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from hashlib import blake2b
from secrets import token_bytes
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from .change import Change, Fact, Told
from .example import written
from .fields import Setting, is_secret, section_of, settings
from .problems import dotted
from .settings import Settings

HIDDEN = "(secret)"


def facts(of: Settings, key: bytes = b"") -> dict[str, Fact]:
    """Every value by its key path; `key` (up to 64 bytes) is that of the digests."""
    return dict(pair for setting in settings(Settings) for pair in pairs(of, setting, key))


def told(of: Settings) -> Told:
    """The same under a key of its own."""
    key = token_bytes(16)
    return Told(key, facts(of, key))


def pairs(of: BaseModel, setting: Setting, key: bytes) -> Iterator[tuple[str, Fact]]:
    """A setting, and for a list of groups each of its entries behind it."""
    value, path = value_at(of, setting), dotted(setting.key)
    if is_secret(setting.field):
        yield path, Fact(HIDDEN, digest(value, key))
    elif section_of(setting.field) is None:
        text = written(plain(of, setting))
        yield path, Fact(text, text)
    else:
        entries = named(value)
        names = f"[{', '.join(entries)}]"
        yield path, Fact(names, names)
        for name, entry in entries.items():
            yield f"{path}[{name}]", Fact("", digest(entry, key))


def value_at(of: BaseModel, setting: Setting) -> Any:
    return reduce(getattr, map(str, setting.key), of)


def plain(of: BaseModel, setting: Setting) -> Any:
    """The value as a file has it."""
    group = reduce(getattr, map(str, setting.key[:-1]), of)
    return group.model_dump(mode="json", include={str(setting.key[-1])})[str(setting.key[-1])]


def named(entries: tuple[BaseModel, ...]) -> dict[str, BaseModel]:
    """The entries of a list of groups by their names, or by their places where they have none."""
    return {str(getattr(entry, "name", place)): entry for place, entry in enumerate(entries)}


def digest(value: object, key: bytes) -> str:
    text = json.dumps(value, default=revealed, sort_keys=True)
    return blake2b(text.encode(), key=key, digest_size=16).hexdigest()


def revealed(value: object) -> Any:
    """What json does not know: groups with all that they hold, secrets, and what prints as itself."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, SecretStr | SecretBytes):
        return str(value.get_secret_value())
    return str(value)


def changes(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> list[Change]:
    """What differs, in the order of the file; both with digests of one key."""
    takes = {dotted(setting.key): setting.takes for setting in settings(Settings)}
    return [
        Change(path, old.get(path), new.get(path), takes[path.partition("[")[0]])
        for path in [*new, *(path for path in old if path not in new)]
        if old.get(path) is None or new.get(path) is None or old[path].mark != new[path].mark
        if path.partition("[")[0] in takes
    ]
