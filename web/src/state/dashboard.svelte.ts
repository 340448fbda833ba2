/** One board on the screen: its data, its range, whether it is paused, and what may be said of its freshness. */
import { Frame } from "../data/frame";
import { Held } from "../data/held";
import { drawn, LONGEST_LIVE, moved, zoomed, type Span } from "../data/span";
import type { Window } from "../data/window";
import { Backoff } from "../wire/backoff";
import type { Board } from "../wire/board";
import { QUIET, told, type Configuration, type Told } from "../wire/configuration";
import { Live } from "../wire/live";
import { Again } from "./again";
import { Events } from "./events.svelte";
import { Member } from "./member.svelte";
import { ended, HttpError, loading, missing, refused, type Problem } from "./problem";
import { Shown } from "./shown.svelte";
import { isStale, sign, type Facts, type Sign } from "./sign";
import { Processes } from "./processes.svelte";
import { Watchers } from "./watchers.svelte";
import type { World } from "./world";

/** Pages that hear of other boards at once ask for them within so many ms of each other. */
const SPREAD = 1000;

export class Dashboard {
  boards = $state.raw<readonly Board[]>([]);
  board = $state.raw<Board | null>(null);
  /** What is to be said of the service's configuration. */
  configuration = $state.raw<Configuration>(QUIET);
  historyPaused = $state("");
  problem = $state.raw<Problem | null>(null);
  paused = $state(false);
  /** Replaced once a paint; null until the first columns are here. */
  frame = $state.raw<Frame | null>(null);
  sign = $state.raw<Sign>({ kind: "connecting" });
  stale = $state(false);
  /** Time (ms) from the newest sample to its paint. */
  latency = $state<number | null>(null);
  instance = $state("");
  /** Whether it is no WebSocket that the stream comes by. */
  overHttp = $state(false);
  /** Why there is no connection, in words. */
  reason = $state("");
  /** What the service wants a person to know, until it is over. */
  notice = $state("");
  /** The name of this page's own connection. */
  session = $state("");

  readonly member: Member;
  readonly processes: Processes;
  readonly watchers: Watchers;
  readonly events: Events;
  readonly shown: Shown;
  readonly #world: World;
  readonly #held = new Held(LONGEST_LIVE);
  readonly #live: Live;
  readonly #backoff: Backoff;
  readonly #again: Again;
  #wanted = "";
  #loading = false;
  #loadAt = 0;
  #version = "";
  #newsAt = Infinity;
  #painting = false;
  #kept: Window | null = null;

  constructor(world: World) {
    this.#world = world;
    this.member = new Member(world);
    this.shown = new Shown(world.points);
    this.#backoff = new Backoff(world.random);
    this.#again = new Again(world.random);
    this.events = new Events((from, to) => world.happened(from, to));
    this.#live = new Live({
      ...world,
      url: world.liveUrl,
      sink: this.#held,
      changed: () => this.#changed(),
      restarted: () => void this.#restarted(),
      knows: (configuration) => configuration === this.#version,
      news: () => (this.#newsAt = world.now() + world.random() * SPREAD),
    });
    this.watchers = new Watchers(this.#live.viewers);
    this.processes = new Processes(this.#live.processes, (time) => world.past(time));
  }

  /** Shows the board of this name, the first without one, once the service has told its boards. */
  async show(name: string): Promise<void> {
    this.#wanted = name;
    if (this.boards.length === 0) await this.load();
    else this.#choose();
  }

  async load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      this.#hear(told(await this.#world.boards()));
      void this.member.ask();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof HttpError && error.status === 401) this.member.refused();
      this.problem = loading(error);
      this.#loadAt = this.#world.now() + this.#backoff.next(0);
    } finally {
      this.#loading = false;
      this.check();
    }
  }

  setRange(range: number): void {
    this.look({ range, until: this.shown.until });
  }

  look(span: Span): void {
    if (this.shown.take(span) && this.board !== null) this.#follow(this.board);
    this.#world.remember(span);
    this.#draw();
  }

  move(direction: -1 | 1): void {
    if (this.time !== null) this.look(moved(this.shown, direction, this.time));
  }

  /** Shows what was drawn over (ms). */
  select({ from, to }: { from: number; to: number }): void {
    if (this.time !== null) this.look(drawn(from, to, this.time));
  }

  /** Shows `factor` times as much, around a time (ms). */
  zoom(factor: number, around: number | null): void {
    if (this.time !== null) this.look(zoomed(this.shown, factor, around, this.time, this.shown.longest));
  }

  /** The service's time (ms); null while it is not known. */
  get time(): number | null {
    return this.#live.clock.at(this.#world.now());
  }

  togglePause(): void {
    this.paused = !this.paused;
    this.#kept = this.paused ? this.#held.window.copy() : null;
    this.#draw();
    this.check();
  }

  /** To be called a few times a second while the page is visible. */
  check(): void {
    const now = this.#world.now();
    if (this.boards.length === 0 && this.problem !== null && now >= this.#loadAt) void this.load();
    if (this.#again.due(now) && this.board !== null) this.#follow(this.board);
    if (now >= this.#newsAt) void this.#refresh();
    this.#live.check();
    this.#judge(now);
  }

  setVisible(visible: boolean): void {
    this.#live.setVisible(visible);
    if (visible) this.#draw();
    this.check();
  }

  /** The network is back, or the page was thawed. */
  wake(): void {
    this.#loadAt = 0;
    this.#live.wake();
    this.check();
  }

  /** Tries again at once. */
  retry(): void {
    this.#live.comeBack();
    if (this.boards.length > 0) this.#choose();
    this.wake();
  }

  cut(session: string): Promise<void> {
    return this.#world.cut(session);
  }

  close(): void {
    this.#live.close();
  }

  #choose(): void {
    const found = this.#wanted === "" ? this.boards[0] : this.boards.find(({ name }) => name === this.#wanted);
    if (found === undefined) {
      this.board = null;
      this.problem = missing(this.#wanted, this.boards.map(({ name }) => name));
      return;
    }
    this.problem = null;
    if (found === this.board) return;
    this.#held.window.clear();
    this.frame = this.#kept = null;
    this.paused = false;
    this.board = found;
    this.#follow(found);
  }

  /** The service may have come back with other boards. Where it does not say, the same are followed. */
  async #restarted(): Promise<void> {
    const before = this.board;
    await this.#ask();
    if (this.board === before) this.#live.resume();
  }

  /** The service has news. Where it does not say them now, it is asked again. */
  async #refresh(): Promise<void> {
    this.#newsAt = Infinity;
    const before = this.board;
    if (!(await this.#ask())) this.#newsAt = this.#world.now() + this.#backoff.next(0);
    else if (this.board === before && this.#live.asking) this.#live.resume();
  }

  async #ask(): Promise<boolean> {
    const answer = await this.#world.boards().then(told).catch(() => null);
    if (answer !== null) this.#hear(answer);
    return answer !== null;
  }

  /** A board that is as it was stays the same object, and goes on. */
  #hear({ boards, configuration, version }: Told): void {
    const held = new Map(this.boards.map((board) => [JSON.stringify(board), board]));
    this.boards = boards.map((board) => held.get(JSON.stringify(board)) ?? board);
    this.configuration = configuration;
    this.#version = version;
    this.#choose();
  }

  #follow(board: Board): void {
    if (this.shown.other) {
      // The picture stays until there is another.
      this.#held.renew(this.shown.span);
      this.paused = false;
      this.#kept = null;
    }
    this.problem = null;
    this.#live.follow(this.shown.wish(board.name));
  }

  #changed(): void {
    const { welcome, refusal, reason, phase, notice } = this.#live;
    this.instance = welcome?.server.instance ?? "";
    this.historyPaused = welcome?.server.history ?? "";
    this.session = welcome?.session ?? "";
    this.overHttp = this.#live.ways.overHttp;
    this.reason = phase === "waiting" || phase === "ended" ? reason : "";
    this.notice = notice === null || notice.code === "resumed" ? "" : notice.message;
    if (welcome !== null && this.shown.adapt(welcome, refusal) && this.board !== null) return this.#follow(this.board);
    this.#again.heed(refusal, this.#world.now());
    if (refusal !== null && this.board !== null) this.problem = refused(refusal);
    if (phase === "ended") this.problem = ended(reason);
    void this.member.heed(phase);
    for (const each of [this.watchers, this.processes]) each.look(welcome?.step ?? 1000);
    this.#meet();
    this.#judge(this.#world.now());
  }

  /** What came is drawn, and where nothing came there is nothing. */
  #meet(): void {
    if (this.#live.asking) return;
    const arrived = this.#live.phase === "open" && this.shown.arrived();
    if (arrived && this.#held.newest === null) this.frame = new Frame(this.#held.window, this.shown.range);
    const other = this.frame?.window !== this.#held.window && this.#kept === null;
    if (other || this.#held.window.last > (this.frame?.to ?? 0)) this.#draw();
  }

  /** One paint for however many columns came since the last. */
  #draw(): void {
    if (this.#painting || this.#held.window.newest === null) return;
    this.#painting = true;
    let n = 0;
    this.#world.paint(
      () => {
        this.#painting = false;
        n = this.#live.n;
        const [held, shown] = [this.#kept ?? this.#held.window, this.frame];
        if (this.paused && shown?.window === held && shown.range === this.shown.range) return;
        this.frame = new Frame(held, this.shown.range);
      },
      () => this.#painted(n),
    );
  }

  #painted(n: number): void {
    const now = this.#world.now();
    const lag = this.#age(now);
    if (lag === null) return;
    const told = this.shown.far ? null : lag;
    if (this.frame !== null) this.events.look(...this.frame.ends);
    if (!this.paused) this.latency = told;
    this.#live.painted(n, told);
    this.#judge(now);
  }

  /** Age (ms) of the newest column of a window, by the service's clock. */
  #age(now: number, window: Window = this.#held.window): number | null {
    const time = this.#live.clock.at(now);
    return time === null || window.newest === null ? null : Math.max(0, time - window.newest);
  }

  #judge(now: number): void {
    const facts: Facts = {
      phase: this.#live.phase,
      paused: this.paused,
      age: this.#age(now),
      shownAge: this.#age(now, this.#kept ?? this.#held.window) ?? 0,
      limit: this.#live.silence + this.shown.late(this.#held.window.step),
      past: this.shown.until !== null,
      step: this.shown.far ? this.#held.window.step : 0,
      wait: Math.max(0, this.#live.retryAt - now),
    };
    if (this.boards.length === 0 && this.problem !== null) {
      this.sign = { kind: "reconnecting", wait: Math.max(0, this.#loadAt - now) };
      return;
    }
    this.stale = isStale(facts);
    this.sign = sign(facts);
  }
}
