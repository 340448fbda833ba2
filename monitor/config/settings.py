"""All settings, as config.yaml has them.  The text under a setting is its documentation, with its unit."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from .access import Access
from .board import Board
from .collect import Collect
from .library import default_boards
from .problems import conflict, expected
from .section import Form, Section, Takes
from .server import Server
from .units import Between, Duration, Size


def read_state_path(text: str) -> str:
    if text and not text.startswith("~/") and not Path(text).is_absolute():
        raise expected("an absolute path, one below ~/, or an empty text for the default")
    return text


class Head(Section):
    """The newest samples, in memory."""

    window: Annotated[Duration, Between("1m", "1d"), Takes.RESTART] = 900
    """How long samples are kept; at least two of collect.interval.  A sample takes 8 bytes."""
    series_per_target: Annotated[int, Between(100, 10_000_000), Takes.RESTART] = 20_000
    """Series that one target may have; more of them are left out, and counted."""
    series: Annotated[int, Between(100, 10_000_000), Takes.RESTART] = 100_000
    """Series of all targets; at least series_per_target."""

    @model_validator(mode="after")
    def check_series(self) -> Self:
        if self.series < self.series_per_target:
            raise conflict(self, "series", "series_per_target", "at least series_per_target ({other})")
        return self


class History(Section):
    """Samples on the disk, in the folder `history` of storage.path."""

    enabled: Annotated[bool, Takes.RESTART] = True
    """Whether samples outlive the memory's window."""
    raw: Annotated[Duration, Between("1h", "3650d"), Takes.RESTART] = 7 * 86_400
    """How long samples are kept as they came."""
    minutes: Annotated[Duration, Between("1h", "3650d"), Takes.RESTART] = 90 * 86_400
    """How long least, greatest, sum, number and last sample of each minute are kept."""
    hours: Annotated[Duration, Between("1h", "36500d"), Takes.RESTART] = 1826 * 86_400
    """How long those of each hour are kept."""
    size: Annotated[Size, Between("16MiB", "1024GiB"), Takes.RESTART] = 2 << 30
    """Bytes that all of it may take; beyond that the oldest goes, samples as they came first."""


class Storage(Section):
    """What is kept, and where."""

    path: Annotated[str, AfterValidator(read_state_path), Form("absolute path, or empty"), Takes.RESTART] = ""
    """Folder for what must survive a restart, absolute or below `~/`.  Empty takes the first of
    $STATE_DIRECTORY (set by systemd), $XDG_STATE_HOME/monitor and ~/.local/state/monitor."""
    head: Head = Head()
    history: History = History()


class Log(Section):
    """What the service writes to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Takes.RELOAD] = "info"
    """The least important records that are written."""
    format: Annotated[Literal["auto", "text", "json"], Takes.RELOAD] = "auto"
    """`text` for people, `json` for one object a line; `auto` is text, but under systemd the journal's own
    entries, with fields."""


class Settings(Section):
    """One deployment of the service."""

    server: Server = Server()
    access: Access = Access()
    collect: Collect = Collect()
    storage: Storage = Storage()
    boards: Annotated[tuple[Board, ...], Strict(False), Form("list"), Takes.RELOAD] = Field(
        default_factory=default_boards
    )
    """The dashboards, each the name of a built-in board (`overview`, `containers`, `gpu`, `probes`,
    `sensors`), the path of a YAML file with one board (relative to this file), or a board itself.  The first
    is shown at first.  `found`, at the end, stands for the built-in ones of what is on this host at the
    start and at a reload: containers or systemd, sensors, GPUs, and probes where they have targets."""
    log: Log = Log()
    reload_on_change: Annotated[bool, Takes.RELOAD] = False
    """Reload when this file or that of a board has changed, and not only when asked to."""

    @model_validator(mode="after")
    def check_open(self) -> Self:
        """What other machines can reach is reached through TLS, or is open to everybody on purpose."""
        server = self.server
        opened = self.access.anonymous != "none" and not self.access.users
        covered = server.listen.is_loopback or server.tls.certificate or server.trusted_proxies
        if not (covered or opened):
            raise conflict(
                self,
                "server.listen",
                "access.anonymous",
                "an address of this machine only, such as 127.0.0.1:8844, as what people log in with would "
                "cross the network in the clear (set server.tls.certificate and key, or name the proxy that "
                "speaks TLS in server.trusted_proxies; or let everybody look: access.anonymous: viewer, and "
                "no users)",
            )
        return self

    @model_validator(mode="after")
    def check_window(self) -> Self:
        if self.storage.head.window < 2 * self.collect.interval:
            raise conflict(
                self, "storage.head.window", "collect.interval", "at least two collect.interval ({other})"
            )
        return self

    @model_validator(mode="after")
    def check_names(self) -> Self:
        names = [board.name for board in self.boards]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            index = len(names) - 1 - names[::-1].index(repeated)
            raise conflict(self, f"boards.{index}.name", "boards", "a name that no board before it has")
        return self
