"""The live messages: what browser and service say over WebSocket (docs/protocol.md).

Both directions, pure: server messages are encoded to UTF-8 JSON, client messages are decoded to dataclasses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from monitor.model import Floats, Labels, Times

SUBPROTOCOL = "monitor.v1"
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class MessageError(ValueError):
    """A client message that is none of the protocol's; `request` names the one it belongs to, if any."""

    def __init__(self, message: str, request: int | None = None) -> None:
        super().__init__(message)
        self.request = request


MOST = 1000
"""Rows of a table."""
FILTER = 100
"""Characters of a filter."""


class View(NamedTuple):
    """How a table is wanted: sorted by a column, rows with a text in them, so many."""

    sort: str = ""
    """Empty for the table's own order."""
    descending: bool = True
    filter: str = ""
    limit: int = MOST


WHOLE = View()


@dataclass(frozen=True, slots=True)
class Subscribe:
    request: int
    queries: tuple[str, ...] = ()
    board: str | None = None
    table: str | None = None
    view: View = WHOLE
    """Of the table."""
    variables: Mapping[str, str] = field(default_factory=dict)
    range: int = 0
    step: int | None = None
    after: int | None = None
    until: int | None = None
    """Only the past up to this time (ms) is wanted, and nothing that comes after it."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    feed: int


@dataclass(frozen=True, slots=True)
class Ack:
    feed: int
    n: int
    lag: float | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    visible: bool


Message: TypeAlias = Subscribe | Unsubscribe | Ack | Visible


class Fields:
    """The fields of one client message, taken out one by one; what is left over is an error."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.left = dict(message)
        self.type = self.left.pop("type", None)
        request = self.left.get("request")
        self.request = request if _is_integer(request) else None

    def refuse(self, text: str) -> MessageError:
        return MessageError(text, self.request)

    def integer(self, name: str, least: int = 0, default: int | None = None, most: int = 2**53) -> int:
        value = self.left.pop(name, default)
        if not _is_integer(value) or not least <= value <= most:
            to = f" to {most}" if most < 2**53 else ""
            raise self.refuse(f"{name}: expected a whole number from {least}{to}, found {_show(value)}")
        return int(value)

    def integer_or_none(self, name: str) -> int | None:
        if self.left.get(name) is None:
            self.left.pop(name, None)
            return None
        return self.integer(name)

    def text_or_none(self, name: str) -> str | None:
        value = self.left.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise self.refuse(f"{name}: expected a string, found {_show(value)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self.refuse(f"{name}: expected a list of strings, found {_show(value)}")
        return tuple(value)

    def mapping(self, name: str) -> dict[str, str]:
        value = self.left.pop(name, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise self.refuse(f"{name}: expected an object of strings, found {_show(value)}")
        return value

    def short(self, name: str, most: int) -> str:
        """A text of so many characters at most; empty where there is none."""
        value = self.left.pop(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise self.refuse(f"{name}: expected at most {most} characters, found {_show(value)}")
        return value

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self.left.pop(name, default)
        if not isinstance(value, bool):
            raise self.refuse(f"{name}: expected true or false, found {_show(value)}")
        return value

    def end(self) -> None:
        if self.left:
            raise self.refuse(f"{min(self.left)}: not a field of {self.type}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _show(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:37] + "..."


def _subscribe(fields: Fields) -> Subscribe:
    message = Subscribe(
        request=fields.integer("request"),
        queries=fields.texts("queries"),
        board=fields.text_or_none("board"),
        table=fields.text_or_none("table"),
        view=_view(fields),
        variables=fields.mapping("variables"),
        range=fields.integer("range", default=0),
        step=fields.integer_or_none("step"),
        after=fields.integer_or_none("after"),
        until=fields.integer_or_none("until"),
    )
    if message.after is not None and message.until is not None:
        raise fields.refuse("expected one of after and until")
    if bool(message.queries) + (message.board is not None) + (message.table is not None) != 1:
        raise fields.refuse("expected one of queries, board and table")
    if message.table is not None and message != Subscribe(
        message.request, table=message.table, view=message.view
    ):
        raise fields.refuse("a table is asked for by its name and a view of it: it has no past and no step")
    if message.table is None and message.view != WHOLE:
        raise fields.refuse("sort, descending, filter and limit are for tables alone")
    return message


def _view(fields: Fields) -> View:
    return View(
        sort=fields.short("sort", FILTER),
        descending=fields.flag("descending", default=True),
        filter=fields.short("filter", FILTER),
        limit=fields.integer("limit", least=1, default=MOST, most=MOST),
    )


def _ack(fields: Fields) -> Ack:
    lag = fields.left.pop("lag", None)
    if lag is not None and (isinstance(lag, bool) or not isinstance(lag, int | float) or not 0 <= lag < 1e9):
        raise fields.refuse(f"lag: expected milliseconds, found {_show(lag)}")
    return Ack(fields.integer("feed"), fields.integer("n"), lag)


def _unsubscribe(fields: Fields) -> Unsubscribe:
    return Unsubscribe(fields.integer("feed"))


def _visible(fields: Fields) -> Visible:
    return Visible(fields.flag("visible"))


_DECODERS: dict[str, Callable[[Fields], Message]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "ack": _ack,
    "visible": _visible,
}


def decode(text: str) -> Message:
    """The client message in text.  Raises MessageError, which says what was found and what was expected."""
    try:
        message = _decode(text)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise MessageError(f"expected an object, found {_show(message)}")
    fields = Fields(message)
    decoder = _DECODERS.get(fields.type) if isinstance(fields.type, str) else None
    if decoder is None:
        raise fields.refuse(f"type: expected one of {', '.join(_DECODERS)}, found {_show(fields.type)}")
    decoded = decoder(fields)
    fields.end()
    return decoded


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


QuerySeries: TypeAlias = Sequence[tuple[int, Labels]]
"""The series of a feed: index of the query, labels."""


def _message(type_: str, **fields: object) -> bytes:
    return _encode({"type": type_, **fields}).encode("ascii")


def _join(*parts: str) -> bytes:
    return "".join(parts).encode("ascii")


def _series(series: QuerySeries) -> str:
    return _encode([{"query": query, "labels": dict(labels)} for query, labels in series])


def _numbers(values: Floats) -> str:
    """JSON of an array of one or two dimensions; what is not finite is null, whole numbers are short."""
    if values.size == 0:
        return _encode(values.tolist())
    finite = values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)
    text = _encode(finite.tolist()).replace("NaN", "null")
    return text.replace(".0,", ",").replace(".0]", "]")


def _columns(timestamps: Times, values: Floats) -> str:
    return f'{{"t":{_encode(timestamps.tolist())},"v":{_numbers(values)}}}'


def _past(complete: bool, oldest: int | None) -> str:
    return f',"complete":{_encode(complete)},"oldest":{_encode(oldest)}}}'


def welcome(session: str, time: int) -> bytes:
    """The beginning of a greeting; `service` ends it."""
    return _join(f'{{"type":"welcome","session":{_encode(session)},"time":{time},')


def service(
    *,
    server: Mapping[str, str],
    epoch: str,
    step: int,
    ping: Mapping[str, int],
    limits: Mapping[str, int],
) -> bytes:
    """The end of a greeting, which is the same for all."""
    return _encode({"server": server, "epoch": epoch, "step": step, "ping": ping, "limits": limits}).encode(
        "ascii"
    )[1:]


@dataclass(frozen=True, slots=True)
class Past:
    """Columns of a feed up to number n, with the series they belong to; the text is made once and shared."""

    feed: int
    n: int
    series: QuerySeries
    timestamps: Times
    values: Floats
    complete: bool
    oldest: int | None

    def tail(self) -> bytes:
        """The message without its beginning, which is `subscribed` or COLUMNS."""
        return _join(
            f'"feed":{self.feed},"n":{self.n},"series":{_series(self.series)},',
            f'"columns":{_columns(self.timestamps, self.values)}',
            _past(self.complete, self.oldest),
        )


COLUMNS = b'{"type":"columns",'


def subscribed(request: int, step: int) -> bytes:
    """The beginning of an answer to subscribe."""
    return _join(f'{{"type":"subscribed","request":{request},"step":{step},')


def tick(feed: int, n: int, t: int, values: Floats) -> bytes:
    return _join(f'{{"type":"tick","feed":{feed},"n":{n},"t":{t},"v":', _numbers(values), "}")


def series(feed: int, n: int, series: QuerySeries) -> bytes:
    return _join(f'{{"type":"series","feed":{feed},"n":{n},"series":', _series(series), "}")


def table(
    table: str,
    feed: int,
    n: int,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    total: int,
    about: Mapping[str, float] | None = None,
    view: View | None = None,
) -> bytes:
    """Rows of cells in the order of the columns; a cell is text, a number or None.

    `about` are figures of the table itself, `view` is how it was asked for, where that can be chosen.
    """
    more: dict[str, object] = {} if about is None else {"about": about}
    if view is not None:
        more["view"] = view._asdict()
    return _message("table", table=table, feed=feed, n=n, columns=columns, rows=rows, total=total, **more)


def beat(time: int) -> bytes:
    return _join(f'{{"type":"beat","time":{time}}}')


def notice(code: str, message: str, **details: int | str | Mapping[str, int]) -> bytes:
    return _message("notice", code=code, message=message, details=details)


def error(request: int | None, code: str, message: str, **place: int | None) -> bytes:
    return _message("error", request=request, code=code, message=message, **place)
