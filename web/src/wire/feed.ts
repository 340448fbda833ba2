/**
 * One subscription's place in its feed: which series a tick's values belong to, and whether one is missing.
 *
 * `n` grows by one a tick. A tick that does not follow is not stored: the series it is written in may have been
 * announced in what was lost. The caller subscribes again with `after`, and until the answer ticks are let go.
 */
import type { CatchUp, Columns, Series, SeriesChange, Subscribed, Tick } from "./messages";

/** Who keeps the columns. */
export interface Sink {
  /** Columns of the past; `step` (ms) is the grid that their times are multiples of. */
  absorb(series: readonly Series[], columns: Columns, step: number): void;
  append(series: readonly Series[], t: number, v: readonly (number | null)[]): void;
  clear(): void;
  /** Time of the newest column held, or null. */
  readonly newest: number | null;
}

export type Outcome = "kept" | "ignored" | "hole" | "clock went back";

/** A tick that is behind by more than this many is no repetition: the server's clock was set back. */
const REPEATED = 10;

export class Feed {
  id: number | null = null;
  n = 0;
  /** Whether the service sends ticks of it. */
  followed = false;
  #step = 1000;
  #series: readonly Series[] = [];
  #next: SeriesChange | null = null;
  #following = false;

  constructor(readonly sink: Sink) {}

  /** Ticks are let go from here to the next `subscribed`. */
  interrupt(): void {
    this.#following = false;
  }

  /** It is let go of; whether it was followed. */
  left(): boolean {
    const { followed } = this;
    this.followed = false;
    return followed;
  }

  /** A new connection: feed ids of the old one mean nothing on it. */
  forget(): void {
    this.id = null;
    this.followed = false;
    this.interrupt();
  }

  /** `followed` says whether anything comes after it. */
  subscribed(message: Subscribed, followed = true): void {
    this.id = message.feed;
    this.#step = message.step;
    this.#next = null;
    this.#following = this.followed = followed;
    this.#take(message);
  }

  columns(message: CatchUp): Outcome {
    if (message.feed !== this.id || !this.#following) return "ignored";
    this.#take(message);
    return "kept";
  }

  series(message: SeriesChange): void {
    if (message.feed === this.id) this.#next = message;
  }

  tick(message: Tick): Outcome {
    if (message.feed !== this.id || !this.#following) return "ignored";
    if (message.n <= this.n) return this.n - message.n > REPEATED ? "clock went back" : "ignored";
    if (message.n !== this.n + 1) return "hole";
    if (this.#next !== null && message.n >= this.#next.n) this.#adopt(this.#next.series);
    if (message.v.length !== this.#series.length) return "hole";
    this.n = message.n;
    this.sink.append(this.#series, message.t, message.v);
    return "kept";
  }

  #take(message: Subscribed | CatchUp): void {
    this.n = message.n;
    if (this.#next === null || this.#next.n <= message.n) this.#adopt(message.series);
    else this.#series = message.series;
    this.sink.absorb(message.series, message.columns, this.#step);
  }

  #adopt(series: readonly Series[]): void {
    this.#series = series;
    this.#next = null;
  }
}
