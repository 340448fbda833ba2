"""A first configuration for a host: what people change, commented out at its default, under its meaning."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .example import comment, defaults, written
from .fields import documentation, field_at, form, model_at
from .problems import Key, parts
from .settings import Settings
from .surroundings import Surroundings

SHOWN = (
    "server.listen",
    "server.allowed_hosts",
    "server.workers",
    "server.websocket.max_clients",
    "access.users",
    "collect.interval",
    "collect.instance",
    "collect.collectors.netdev.devices_exclude",
    "collect.collectors.filesystem.mount_points_exclude",
    "storage.path",
    "storage.head.window",
    "boards",
    "log.level",
    "reload_on_change",
)
"""Key paths, in the order of the settings."""
MOST = 8
"""Names of one kind that are told."""


def first(found: Surroundings, viewers: int) -> str:
    """The text of the file; so many viewers fit into the memory of the host."""
    lines = [*head(found), *body(found, chosen(found, viewers))]
    return "".join(f"{line}\n" for line in lines)


def head(found: Surroundings) -> Iterator[str]:
    yield f"# The configuration of monitor on {printable(found.name)}, written by `monitor init`."
    yield "#"
    yield from comment(
        "What is commented out is at its default, and every other setting, too: `monitor config default` "
        "prints them all. `monitor check-config FILE` says what is wrong here, `monitor config diff FILE` "
        "what a reload would change.",
        "",
        "",
    )


def chosen(found: Surroundings, viewers: int) -> dict[str, Any]:
    """What is better on this host than the default."""
    values: dict[str, Any] = {}
    if viewers < Settings().server.websocket.max_clients:
        values["server.websocket.max_clients"] = viewers
    if found.passing:
        values["collect.collectors.netdev.devices_exclude"] = f"^({'|'.join(map(re.escape, found.passing))})"
    return values


def remarks(found: Surroundings) -> dict[str, str]:
    """What was found, by the setting that it is about."""
    few = "" if found.cores == 1 else f" This host has {found.cores} cores."
    told = {
        "server.workers": few,
        "boards": f"Found here: {listed(found.boards)}.",
        "collect.collectors.netdev.devices_exclude": f"Found here: {listed(found.interfaces)}.",
        "collect.collectors.filesystem.mount_points_exclude": f"Watched here: {listed(found.disks)}.",
    }
    if found.remote:
        remote = f" Of other machines, and marked when they do not answer: {listed(found.remote)}."
        told["collect.collectors.filesystem.mount_points_exclude"] += remote
    return told


def body(found: Surroundings, values: Mapping[str, Any]) -> Iterator[str]:
    """The settings, each below the groups that it is in."""
    before: Key = ()
    said = remarks(found)
    for path in SHOWN:
        *groups, name = key = parts(path)
        yield ""
        for depth, group in enumerate(groups):
            if tuple(key[: depth + 1]) != before[: depth + 1]:
                yield f"{'  ' * depth}{group}:"
                before = ()
        before = tuple(key[:-1])
        yield from setting(path, str(name), "  " * len(groups), said.get(path, ""), values)


def setting(path: str, name: str, indent: str, remark: str, values: Mapping[str, Any]) -> Iterator[str]:
    key = parts(path)
    model, field = model_at(Settings, key[:-1]), field_at(Settings, key)
    assert model is not None
    assert field is not None
    text = documentation(model)[name]
    yield from comment(f"{text} {printable(remark)}".strip(), form(field), indent)
    value = values.get(path, default(key))
    yield f"{indent}{'' if path in values else '# '}{name}: {written(value)}"


def default(key: Key) -> Any:
    value: Any = defaults()
    for part in key:
        value = value[part]
    return value


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return (", ".join(names[:MOST]) or "none") + more


def printable(text: str) -> str:
    """Names of a host may hold anything; a comment must end where its line does."""
    return "".join(char if char.isprintable() else "?" for char in text)
