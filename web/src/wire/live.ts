/**
 * The browser's side of the live protocol (docs/protocol.md): connect, subscribe, follow, acknowledge, notice
 * death by silence, come back and resume. No timers, no DOM: whoever holds it passes a monotonic clock, calls
 * `check()` a few times a second while the page is visible, and tells it what the browser tells the page.
 */
import { Backoff } from "./backoff";
import { WireError } from "./check";
import { ServerClock } from "./clock";
import { closing, isFinal } from "./closing";
import { Feed, type Outcome } from "./feed";
import { amended, amends, decode, encode } from "./messages";
import type { ClientMessage, Notice, Refusal, ServerMessage, Table, Welcome } from "./messages";
import { Receipts, type Receipt } from "./receipts";
import { TableWatch } from "./table";
import { Ways } from "./ways";
import type { Phase, Socket, Wiring, Wish } from "./wiring";

/** A connection that is not open, or a first answer that is not there, after this long (ms) is given up. */
const PATIENCE = 10_000;
/** A page that does not acknowledge is parked, and hears a beat in ten steps only: so many may be silent. */
const PARKED_STEPS = 12;

export class Live {
  readonly clock = new ServerClock();
  /** Who watches, and what runs on the host, while that is looked at. Columns are never asked for so often. */
  readonly viewers = new TableWatch("viewers", 0, (message) => this.#send(message));
  readonly processes = new TableWatch("processes", 2 ** 52, (message) => this.#send(message));
  readonly #tables = [this.viewers, this.processes];
  phase: Phase = "waiting";
  retryAt = 0;
  /** Why the last connection ended, in words. */
  reason = "";
  welcome: Welcome | null = null;
  notice: Notice | null = null;
  refusal: Refusal | null = null;

  readonly ways: Ways;
  readonly #wiring: Wiring;
  readonly #feed: Feed;
  readonly #backoff: Backoff;
  readonly #receipts = new Receipts();
  #socket: Socket | null = null;
  #wish: Wish | null = null;
  #visible = true;
  #request = 0;
  #askedAt: number | null = null;
  #roundTrip = 0;
  #openedAt: number | null = null;
  #connectedAt = 0;
  #heardAt = 0;
  #restartWithin: number | null = null;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
    this.ways = new Ways(wiring);
    this.#feed = new Feed(wiring.sink);
    this.#backoff = new Backoff(wiring.random);
  }

  /** Follow what is wished for. Connects if need be. */
  follow(wish: Wish): void {
    this.#wish = wish;
    this.refusal = null;
    if (this.phase === "open") this.#subscribe(null);
    else if (this.phase === "waiting") this.#connect();
  }

  /** Follow the same board again, from the newest column held. */
  resume(): void {
    if (this.phase === "open") this.#subscribe(this.#wiring.sink.newest);
  }

  /** Whether an answer is due. */
  get asking(): boolean {
    return this.#askedAt !== null;
  }

  /** Come back after the service has ended the connection for good. */
  comeBack(): void {
    if (this.phase === "ended") this.#connect();
  }

  /** Judges silence, retries and acknowledgements by the clock. */
  check(): void {
    const now = this.#wiring.now();
    if (this.phase === "ended") return;
    if (this.phase === "waiting") {
      if (this.#visible && this.#wish !== null && now >= this.retryAt) this.#connect();
    } else if (now - this.#heardAt > this.#patience(now)) {
      this.#lose(this.phase === "open" ? "nothing was heard from the service" : "the service did not answer");
    } else if (this.phase === "open" && this.#visible && this.ways.due) {
      this.#lose("WebSocket is tried again");
      this.#connect();
    } else {
      this.#acknowledgeIfDue(now);
    }
  }

  /** The page is shown or hidden. A hidden page is sent beats only, and does not try to come back. */
  setVisible(visible: boolean): void {
    if (visible !== this.#visible) {
      const now = this.#wiring.now();
      if (!visible) this.#acknowledge(now);
      this.#visible = visible;
      if (this.phase === "open") this.#send({ type: "visible", visible });
      // The answer tells whether the connection lives, where silence alone does not.
      if (visible && now - this.#heardAt < PARKED_STEPS * this.#step) this.#heardAt = now;
    }
    if (visible) this.wake();
  }

  /** The network or the page is back: judge the connection now, and do not wait for the next try. */
  wake(): void {
    this.check();
    if (this.phase === "waiting" && this.#visible && this.#wish !== null) this.#connect();
  }

  /** Number of the newest column received. */
  get n(): number {
    return this.#feed.n;
  }

  /** Column `n` is on the screen; `lag` is the time from its sample to the paint (ms), null where it tells nothing. */
  painted(n: number, lag: number | null): void {
    const feed = this.#feed.id;
    if (feed !== null) this.#shown({ feed, n, ...(lag === null ? {} : { lag: Math.max(0, Math.round(lag)) }) });
  }

  /** How long (ms) silence may last: three steps and two measured round trips. */
  get silence(): number {
    return 3 * this.#step + 2 * this.#roundTrip;
  }

  close(): void {
    this.#wish = null;
    this.#detach();
  }

  get #step(): number {
    return this.welcome?.step ?? 1000;
  }

  #patience(now: number): number {
    // While an answer is due its round trip is not known yet: a long backfill is no silence.
    const asking = this.#askedAt !== null && now - this.#askedAt < PATIENCE;
    const connecting = this.phase === "connecting" && !this.ways.retrying;
    return connecting || asking ? PATIENCE : this.silence;
  }

  #connect(): void {
    this.phase = "connecting";
    this.#connectedAt = this.#heardAt = this.#wiring.now();
    this.#openedAt = this.#askedAt = null;
    this.#feed.forget();
    const socket = this.ways.connect();
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lose(closing(code), isFinal(code) ? "ended" : "waiting");
    this.#wiring.changed();
  }

  #detach(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lose(reason: string, phase: Phase = "waiting"): void {
    if (this.notice?.code === "slowed") this.notice = null;
    const now = this.#wiring.now();
    this.#detach();
    for (const each of this.#tables) each.lost();
    const lived = this.#openedAt === null ? 0 : now - this.#openedAt;
    if (this.#openedAt === null) void this.ways.failed();
    const wait = this.ways.retrying ? 0 : this.#backoff.next(lived);
    this.retryAt = now + (this.#restartWithin === null ? wait : this.#wiring.random() * this.#restartWithin);
    this.#restartWithin = null;
    this.reason = reason;
    this.phase = phase;
    this.#wiring.changed();
  }

  #receive(data: unknown): void {
    const now = this.#wiring.now();
    this.#heardAt = now;
    try {
      if (typeof data !== "string") throw new WireError("a binary message");
      this.#receipts.received(data.length);
      this.#handle(decode(data), now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#lose(`the service sent something else than expected (${error.message})`);
    }
  }

  #handle(message: ServerMessage, now: number): void {
    switch (message.type) {
      case "welcome":
        return this.#greet(message, now);
      case "beat":
        return this.clock.stamped(message.time, now);
      case "subscribed":
        if (message.request !== this.#request) return;
        this.#roundTrip = now - (this.#askedAt ?? now);
        this.#askedAt = null;
        this.#leaveOther(message.feed);
        this.#feed.subscribed(message, this.#wish?.until === undefined);
        return this.#took(now);
      case "columns":
        return this.#after(this.#feed.columns(message), now);
      case "series":
        return this.#feed.series(message);
      case "tick":
        this.clock.atLeast(message.t, now);
        return this.#after(this.#feed.tick(message), now);
      case "table":
        return this.#laid(message, now);
      case "notice":
        return this.#heed(message);
      case "error":
        return this.#refused(message);
    }
  }

  #greet(message: Welcome, now: number): void {
    const restarted = this.welcome !== null && this.welcome.epoch !== message.epoch;
    this.welcome = message;
    this.notice = null;
    this.phase = "open";
    this.#openedAt = now;
    this.ways.welcomed();
    this.#roundTrip = now - this.#connectedAt;
    this.#receipts.clear(now);
    this.clock.reset();
    this.clock.stamped(message.time, now);
    if (restarted || !this.#wiring.knows(message.server.configuration)) this.#wiring.restarted();
    else this.resume();
    for (const each of this.#tables) each.greeted();
    if (!this.#visible) this.#send({ type: "visible", visible: false });
    this.#wiring.changed();
  }

  /** `held` is the time of the newest column held: only what came after it is asked for. */
  #subscribe(held: number | null): void {
    if (this.#wish === null) return;
    const now = this.#wiring.now();
    const { board, range, until, ...rest } = this.#wish;
    const age = held === null ? NaN : (this.clock.at(now) ?? Infinity) - held;
    const recent = held !== null && age >= 0 && age < range;
    this.#feed.interrupt();
    this.#askedAt = now;
    if (until !== undefined) this.#leaveOther(null);
    const part = until !== undefined ? { range, until } : recent ? { after: held } : { range };
    this.#send({ type: "subscribe", request: (this.#request += 1), board, ...rest, ...part });
  }

  #after(outcome: Outcome, now: number): void {
    if (outcome === "kept") this.#took(now);
    if (outcome === "hole") this.#subscribe(this.#wiring.sink.newest);
    if (outcome === "clock went back") {
      this.#wiring.sink.clear();
      this.#lose("the service's clock was set back");
    }
  }

  #took(now: number): void {
    this.#receipts.columns(now);
    this.#wiring.changed();
  }

  #laid(table: Table, now: number): void {
    for (const each of this.#tables) each.received(table);
    this.#took(now);
    this.#shown({ feed: table.feed, n: table.n });
  }

  #shown(receipt: Receipt): void {
    this.#receipts.painted(receipt);
    this.#acknowledgeIfDue(this.#wiring.now());
  }

  #heed(notice: Notice): void {
    const { code, details } = notice;
    if (this.welcome !== null && amends(notice)) this.welcome = amended(this.welcome, notice);
    else if (code === "configuration") {
      if (this.asking) this.#request += 1; // What is due may be of a board that is not known here yet.
      this.#wiring.news();
    } else this.notice = notice;
    if (code === "restarting" && typeof details.retry_in === "number") this.#restartWithin = details.retry_in;
    this.#wiring.changed();
  }

  #refused(refusal: Refusal): void {
    for (const each of this.#tables) each.refused(refusal);
    if (refusal.request === this.#request) [this.#askedAt, this.refusal] = [null, refusal];
    this.#wiring.changed();
  }

  /** A feed is shared by all its subscriptions, so it is left only for another one. */
  #leaveOther(feed: number | null): void {
    const { id } = this.#feed;
    if (id !== null && id !== feed && this.#feed.left()) this.#send({ type: "unsubscribe", feed: id });
  }

  #acknowledgeIfDue(now: number): void {
    if (this.welcome !== null && this.#receipts.due(now, this.welcome.limits)) this.#acknowledge(now);
  }

  #acknowledge(now: number): void {
    if (this.phase !== "open" || !this.#visible) return;
    for (const receipt of this.#receipts.take(now)) this.#send({ type: "ack", ...receipt });
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(encode(message));
  }
}
