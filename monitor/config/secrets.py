"""Secrets in files of their own: `file:PATH` stands for what the file says, such as a credential of systemd
(systemd.exec(5), LoadCredential=)."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .fields import field_at, is_secret
from .problems import Key
from .settings import Settings

PREFIX = "file:"
LONGEST = 4096
"""Bytes of a file."""


class SecretError(Exception):
    """A file that holds no secret; the message says what was expected."""


def named(data: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Key path and file of each secret that stands elsewhere."""
    if isinstance(data, dict | list):
        for part, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
            yield from named(value, (*key, part))
    elif isinstance(data, str) and data.startswith(PREFIX):
        field = field_at(Settings, key)
        if field is not None and is_secret(field):
            yield key, data.removeprefix(PREFIX)


def read(path: Path) -> str:
    """What a file says, without the end of its line.  Raises SecretError."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise SecretError(f"{path} is no file of its own, expected one with the secret alone")
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        text = content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise SecretError(f"{path} cannot be read ({why}), expected a file that this user may read") from None
    if mode & stat.S_IRWXO:
        raise SecretError(f"{path} is open to everybody: run chmod o= on it")
    if not text or len(content) > LONGEST:
        raise SecretError(f"{path} has none or more than {LONGEST} bytes, expected the secret alone")
    return text
