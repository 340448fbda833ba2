"""What the main process and its workers say to each other over a local socket.

A message is two lengths, four bytes each (big-endian), then a head in JSON (its name, its fields, the sizes
of its parts), then the parts: bytes that are passed on as they are.  Both ends are always of one version.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, get_args

_LENGTHS = struct.Struct("!II")


class Hello(NamedTuple):
    """First to a worker: what its rooms are made of, in their own terms."""

    settings: Mapping[str, Any]


class Open(NamedTuple):
    """A worker asks for a feed, or for a table; `ask` numbers its questions."""

    ask: int
    queries: Sequence[str] = ()
    variables: Sequence[tuple[str, str]] = ()
    step: int = 0
    table: str | None = None
    view: Sequence[Any] = ()
    """Of the table: the fields of `live.View`."""
    may: Sequence[str] = ()
    """The permissions of those who are to follow it."""


class Opened(NamedTuple):
    """The feed is followed: from now on its ticks are among those that the worker is sent."""

    ask: int
    feed: int
    n: int
    step: int
    queries: int
    """How many it has."""


class Refused(NamedTuple):
    """The feed cannot be: what is wrong with which query, and where."""

    ask: int
    query: int
    message: str
    position: int | None


class Past(NamedTuple):
    """A worker asks for the columns of a feed behind number `after`."""

    feed: int
    after: int
    request: int | None
    until: int | None = None
    """The last one; without it the newest."""


class Brought(NamedTuple):
    """Those columns, up to number n, which the worker has been told of, and what belongs to them.

    Where they cannot be had, `code` is an error code of the live protocol, and `text` says why.
    """

    feed: int
    n: int
    after: int
    request: int | None
    parts: Sequence[bytes]
    until: int | None = None
    code: str = ""
    text: str = ""


class Close(NamedTuple):
    """Nobody follows the feed any more that was opened `times` times."""

    feed: int
    times: int


class Ticked(NamedTuple):
    """A tick: for each feed that went on its id, n, size, and how many of the frames are its own.

    The time is 0 where one feed is ahead of the tick, which is still to come.
    """

    time: int
    feeds: Sequence[Sequence[int]]
    parts: Sequence[bytes]


class Left(NamedTuple):
    """A connection that was handed over has ended; `key` is that of its credential."""

    address: str
    key: str


class Counted(NamedTuple):
    """What a worker has counted since it last said so, and how it stands."""

    numbers: Mapping[str, int]
    gone: Mapping[str, int]
    histograms: Mapping[str, Sequence[float]]
    """Their sum, then their counts."""
    clients: int
    parked: int
    cpu: float
    """Seconds since the worker began."""
    memory: int


class Dismiss(NamedTuple):
    """Tell everybody the notice, close with this code, and end."""

    code: int
    reason: str
    notice: str


class Changed(NamedTuple):
    """As `Hello`: what its rooms are made of from now on; and notices for everybody."""

    settings: Mapping[str, Any]
    notices: Sequence[str]


class Look(NamedTuple):
    """The main process asks who watches."""


class Seen(NamedTuple):
    """Who does: rows, and how many there are in all."""

    rows: Sequence[Sequence[Any]]
    total: int


class Cut(NamedTuple):
    """Close one session for good."""

    session: str


class Expel(NamedTuple):
    """Close the sessions that rest on these credentials, which have ended."""

    keys: Sequence[str]


class CutAnswer(NamedTuple):
    """Whether there was one of this name."""

    session: str
    found: bool


Message: TypeAlias = (
    Hello
    | Open
    | Opened
    | Refused
    | Past
    | Brought
    | Close
    | Ticked
    | Left
    | Counted
    | Dismiss
    | Changed
    | Look
    | Seen
    | Cut
    | Expel
    | CutAnswer
)

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Message)}


def encode(message: Message) -> bytes:
    fields = message._asdict()
    parts: Sequence[bytes] = fields.pop("parts", ())
    head = json.dumps((type(message).__name__, fields, [len(part) for part in parts])).encode()
    return b"".join((_LENGTHS.pack(len(head), sum(map(len, parts))), head, *parts))


class Decoder:
    """Takes bytes as they come, and gives each message once it is whole."""

    def __init__(self) -> None:
        self._held = bytearray()

    def receive(self, data: bytes) -> Iterator[Message]:
        self._held += data
        while len(self._held) >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(self._held)
            end = _LENGTHS.size + head + body
            if len(self._held) < end:
                return
            whole = bytes(memoryview(self._held)[_LENGTHS.size : end])
            del self._held[:end]
            yield _message(whole[:head], whole[head:])


def _message(head: bytes, body: bytes) -> Message:
    kind, fields, sizes = json.loads(head)
    if "parts" in _KINDS[kind]._fields:
        fields["parts"] = tuple(_cut(body, sizes))
    message: Message = _KINDS[kind](**fields)
    return message


def _cut(body: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    place = 0
    for size in sizes:
        yield body[place : place + size]
        place += size
