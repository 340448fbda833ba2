"""Settings from environment variables: MONITOR_SERVER__LISTEN is server.listen.

Two underscores stand for the dot of a key path.  Container platforms set variables of their own for a
service that is called "monitor" (MONITOR_PORT, MONITOR_SERVICE_HOST): a name without two underscores is ours
only where it reads like a setting, and then it is an error that says how to write it.
"""

from collections.abc import Mapping

from .draft import Draft
from .fields import settings
from .problems import Key, Place
from .settings import Settings

PREFIX = "MONITOR_"


def variable(key: Key) -> str:
    """The name of the variable that overrides a setting."""
    return PREFIX + "__".join(str(part).upper() for part in key)


def apply(draft: Draft, environ: Mapping[str, str]) -> None:
    """Override the draft's values by those of the environment."""
    known = {variable(setting.key).replace("__", "_"): setting.key for setting in settings(Settings)}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX):
            continue
        key = known.get(name)
        if "__" in name or (key and variable(key) == name):
            draft.override(tuple(name.removeprefix(PREFIX).lower().split("__")), text, name)
        elif key:
            draft.complain(Place(name), key, f"found single underscores, expected the name {variable(key)}")
