"""Everybody who watches: each session with its connection, from the upgrade to the one way out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from monitor.footprint import SPARE
from monitor.formats import live
from monitor.stream.backlog import Backlog
from monitor.stream.beat import Beat
from monitor.stream.cohort import TURN, Carrier, Cohort
from monitor.stream.doors import Doors
from monitor.stream.frames import Frame, Tail
from monitor.stream.isolation import Isolated, nowhere
from monitor.stream.ledger import Ledger
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Awake, Bounds, Facts, Verdict, judge
from monitor.stream.members import Members
from monitor.stream.orphans import Orphans
from monitor.stream.pulse import Pulse
from monitor.stream.session import Closing, Session
from monitor.stream.source import Followed, Source
from monitor.stream.table import Rows
from monitor.stream.viewers import Peer, viewers
from monitor.telemetry import Telemetry

CUT = Closing(4403, "cut by an operator")
ENDED = Closing(4401, "the credentials have ended")


class Connection(Peer, Protocol):
    """What the audience asks of a socket; none of it waits or raises."""

    @property
    def deflate(self) -> bool:
        """Whether it takes the compressed form of frames."""

    @property
    def socket(self) -> object | None:
        """What a carrier writes to; None where every frame has to go through `send`."""

    def send(self, frames: Sequence[Frame]) -> int:
        """Hand frames over; the number of bytes they take on the wire."""

    def go_on(self, data: bytes, taken: int) -> None:
        """A carrier gave the socket data, and it took so many bytes of it; -1 where it is dead."""

    def undisturbed(self) -> bool:
        """Whether a carrier may write to the socket: nothing waits before it, and it does not close."""

    def drained(self) -> bool:
        """Whether everything handed over has gone to the kernel."""

    def facts(self, now: float) -> Facts: ...

    def ping(self) -> None:
        """Send a ping of our own, beside those of the protocol's loop."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    def abort(self) -> None:
        """Cut at once, without a handshake."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What `welcome` says besides the session's own name; see docs/protocol.md."""

    server: Mapping[str, str]
    epoch: str
    ping: Mapping[str, int]
    limits: Mapping[str, int]


class Audience:
    """Ticks go out to all sessions; the sweep removes each connection that is not really alive."""

    def __init__(
        self,
        feeds: Source,
        boards: Mapping[str, Sequence[str]],
        greeting: Greeting,
        limits: SessionLimits,
        bounds: Bounds,
        doors: Doors,
        telemetry: Telemetry,
        awake: Awake,
        wall: Callable[[], float],
        carrier: Carrier,
        isolated: Isolated = nowhere,
    ) -> None:
        self.isolated = isolated
        self.feeds = feeds
        self.boards = boards
        self.greeting = greeting
        self.limits = limits
        self.bounds = bounds
        self.doors = doors
        self.telemetry = telemetry
        self.awake = awake
        self.wall = wall
        self.carrier = carrier
        self.ledger = Ledger()
        self.backlog = Backlog(limits.backlog)
        self.orphans = Orphans()
        self.connections: dict[Session, Connection] = {}
        self.members = Members()
        self.slots: dict[int, Session] = {}
        """By their rows in the ledger."""
        self.cohorts: dict[tuple[tuple[Followed, ...], bool], Cohort] = {}
        self.apart: dict[Session, None] = {}
        """Those in no cohort."""
        feeds.tables["viewers"] = lambda _may, _view: self.viewers()
        self._greeted: tuple[Greeting | None, Tail] = None, Tail(b"")
        self.empty = asyncio.Event()
        """Set while nobody is here."""
        self.empty.set()

    def __len__(self) -> int:
        return len(self.connections)

    def join(self, connection: Connection) -> Session:
        """Begin a session on an open connection, and greet it."""
        session = Session(self.feeds, self.boards, self.limits, self.flush, self.backlog)
        session.since = int(self.wall() * 1000)
        session.may = connection.credential.may
        self.members.enter(connection.credential.key, session)
        self.connections[session] = connection
        connection.pulse = Pulse(self.ledger, self.awake(), connection.socket)
        self.slots[connection.pulse.slot] = session
        self.apart[session] = None
        self.empty.clear()
        self.doors.enter(connection.address)
        self.telemetry.sessions_opened += 1
        self.telemetry.clients = len(self.connections)
        self._send(connection, [self._welcome(session)])
        return session

    def receive(self, session: Session, text: str) -> None:
        """Take a message and send what it brings about."""
        if session not in self.connections:
            return
        self.telemetry.messages_received += 1
        due = session.receive(text)
        if session.lag is not None:
            self.telemetry.lag_seconds.observe(session.lag)
            session.lag = None
        if due:
            self.flush(session)

    def flush(self, session: Session) -> None:
        """Send what is due to one session outside the ticks, and close it if it must end."""
        connection = self.connections[session]
        session.step_out()
        self._send(connection, session.outgoing(self.awake(), connection.drained()))
        if session.closing is not None:
            connection.close(*session.closing)
            session.end()

    async def tick(self, now: int) -> None:
        """Bring every feed to time now (ms), and everybody up to date."""
        for _ in self.feeds.turns(now):
            await asyncio.sleep(0)
        self.telemetry.ticks += 1
        self.telemetry.feeds = len(self.feeds)
        beat = Beat(Frame(live.beat(int(self.wall() * 1000))), self.telemetry.ticks)
        for key, cohort in tuple(self.cohorts.items()):
            with self.isolated("the tick of those in step"):
                await self._tick_all(cohort, beat)
            if not cohort:
                del self.cohorts[key]
        waiting = deque(self.apart)
        while waiting:
            with self.isolated("the tick of a session"):
                await self._tick_apart(waiting, beat)
            if waiting:
                with self.isolated("the end of a session"):
                    self.leave(waiting.popleft(), "failed")

    async def _tick_all(self, cohort: Cohort, beat: Beat) -> None:
        """A tick for those who are in step."""
        frames = cohort.advance(self.awake(), beat)
        data = b"".join(frame.wire(cohort.deflate) for frame in frames)
        for served in cohort.serve(data, self.carrier, self.ledger):
            for session, taken in served.short:
                self.connections[session].go_on(data, taken)
            self.telemetry.frames_sent += len(frames) * served.number
            self.telemetry.bytes_sent += len(data) * served.number
            await asyncio.sleep(0)

    async def _tick_apart(self, waiting: deque[Session], beat: Beat) -> None:
        """A tick for each that is in no cohort; the first who waits is the one who is being served."""
        moment = self.awake()
        while waiting:
            session = waiting[0]
            if session in self.apart and session.closing is None:
                self._tick(session, self.connections[session], moment, beat)
            waiting.popleft()
            if len(waiting) % TURN == 0:
                await asyncio.sleep(0)
                moment = self.awake()

    def _tick(self, session: Session, connection: Connection, now: float, beat: Beat) -> None:
        skipped = session.skipped
        self._send(connection, session.tick(now, connection.drained(), beat))
        if session.skipped > skipped:
            self.telemetry.frames_skipped += 1
        elif connection.socket is not None and session.in_step() and connection.undisturbed():
            self._step_in(session, connection)

    def _step_in(self, session: Session, connection: Connection) -> None:
        """From the next tick on it is served with all who are sent the same."""
        feeds = tuple(each.feed for each in session.subscriptions.values())
        key = feeds, connection.deflate
        cohort = self.cohorts.get(key)
        if cohort is None:
            cohort = self.cohorts[key] = Cohort(feeds, connection.deflate, self._apart)
        self.ledger.disturbed[connection.pulse.slot] = False
        cohort.join(session, connection.socket, connection.pulse.slot)
        del self.apart[session]

    def _apart(self, session: Session) -> None:
        self.apart[session] = None

    def sweep(self) -> None:
        """Judge every connection.  A sweep that comes late judges nobody: it could not listen meanwhile."""
        if not self.awake.sweep():
            return
        now = self.awake()
        if self.slots:
            self._judge_all(now)
        else:
            self.backlog.measure(())
        self.telemetry.parked = sum(session.parked for session in self.apart)
        self.telemetry.orphans += self.orphans.sweep(self.connections, now, self.bounds.sweep_interval)

    def _judge_all(self, now: float) -> None:
        waiting = self.carrier.waiting(self.ledger.sockets)
        ping_due = self.bounds.ping_interval + self.bounds.sweep_interval
        for slot in self.ledger.sweep(waiting, now, ping_due):
            session = self.slots[slot]
            if session in self.connections:
                self._judge(session, self.connections[session], now)
        undrained = self.ledger.undrained
        self.backlog.measure(undrained[undrained > SPARE].tolist())

    def _judge(self, session: Session, connection: Connection, now: float) -> None:
        verdict = judge(connection.facts(now), now, self.bounds)
        if verdict is Verdict.ALIVE:
            return
        if verdict is Verdict.PING:
            connection.ping()
            return
        self.telemetry.zombies += verdict is Verdict.ZOMBIE
        self.leave(session, verdict)

    def leave(self, session: Session, reason: str) -> None:
        """The one way out of a session, whatever ended it.  Later calls do nothing."""
        connection = self.connections.pop(session, None)
        if connection is None:
            return
        self.doors.leave(connection.address)
        self.members.leave(connection.credential.key, session)
        self.telemetry.gone[reason] += 1
        self.telemetry.clients = len(self.connections)
        if not self.connections:
            self.empty.set()
        try:
            session.end()
        finally:
            self.apart.pop(session, None)
            del self.slots[connection.pulse.slot]
            connection.pulse.retire()
            connection.abort()

    def viewers(self) -> Rows:
        """Everybody, as rows."""
        return viewers(self.connections, self.awake())

    def cut(self, id_: str) -> bool:
        """Close a session for good; whether there is one of this name."""
        session = next((each for each in self.connections if each.id == id_), None)
        if session is None:
            return False
        session.closing = session.closing or CUT
        self.flush(session)
        return True

    def expel(self, keys: Collection[str]) -> None:
        """Close every session that rests on one of these credentials, which have ended."""
        for session in self.members.of(keys):
            if session.closing is None:
                session.closing = ENDED
                self.flush(session)

    def dismiss(self, code: int, notice: bytes, reason: str) -> None:
        """Tell everybody, and begin every closing handshake."""
        frame = Frame(notice)
        for connection in self.connections.values():
            self._send(connection, [frame])
            connection.close(code, reason)

    def _send(self, connection: Connection, frames: Sequence[Frame]) -> None:
        if frames:
            self.telemetry.frames_sent += len(frames)
            size = connection.send(frames)
            self.telemetry.bytes_sent += size
            if size > SPARE and not connection.drained():
                self.backlog.add(size)

    def _welcome(self, session: Session) -> Frame:
        """What all are told alike is made and compressed once."""
        if self._greeted[0] is not self.greeting:
            told = live.service(**asdict(self.greeting), step=self.feeds.step)
            self._greeted = self.greeting, Tail(told)
        return self._greeted[1].after(live.welcome(session.id, session.since))
