"""Secrets in files of their own: `file:PATH` stands for what the file says, `credential:NAME` for what a
credential of systemd does (systemd.exec(5), LoadCredential=).  A file that has some itself must be closed."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .fields import field_at, is_secret
from .problems import Key
from .settings import Settings

FILE, CREDENTIAL = "file:", "credential:"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd says where a service's credentials are."""
LONGEST = 4096
"""Bytes of a file."""


class SecretError(Exception):
    """A file that holds no secret; the message says what was expected."""


def secrets(data: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Key path of each secret, and what is written there."""
    if isinstance(data, dict | list):
        for part, value in list(data.items() if isinstance(data, dict) else enumerate(data)):
            yield from secrets(value, (*key, part))
    elif isinstance(data, str):
        field = field_at(Settings, key)
        if field is not None and is_secret(field):
            yield key, data


def elsewhere(text: str, folder: Path, environ: Mapping[str, str]) -> Path | None:
    """The file that a secret stands in; None where the text is the secret itself.  Raises SecretError.

    The folder is what a relative path begins at.
    """
    if text.startswith(FILE):
        return folder / text.removeprefix(FILE)
    if not text.startswith(CREDENTIAL):
        return None
    name = text.removeprefix(CREDENTIAL)
    if not name or "/" in name or name in {".", ".."}:
        raise SecretError(f"found the credential {name!r}, expected a name as LoadCredential= gives it")
    if not environ.get(CREDENTIALS):
        raise SecretError(
            f"no credential {name} here: systemd hands none over ({CREDENTIALS} is not set); give the unit "
            f"LoadCredential={name}:PATH, or write file:PATH"
        )
    return Path(environ[CREDENTIALS], name)


def judge(path: Path) -> None:
    """Raises SecretError where everybody may read or change a file with secrets in it."""
    try:
        mode = path.stat().st_mode
    except OSError:  # It has been read and is gone.
        return
    if stat.S_ISREG(mode) and mode & stat.S_IRWXO:
        raise SecretError(
            f"is a secret in a file that is open to everybody (mode {stat.S_IMODE(mode):04o}), expected one "
            f"that is closed: run chmod o= {path}, or write file:PATH in its place"
        )


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
