/** Which part of time is on the screen, and what has to be asked for to see it. */
import { LONGEST_LIVE, stepFor, type Span } from "../data/span";
import type { Refusal, Welcome } from "../wire/messages";
import type { Wish } from "../wire/wiring";

/** The range (ms) that a page begins with. */
export const USUAL = 300_000;
/** How often a picture of half as many columns is asked for in place of one that was too large. */
const COARSER = 4;

export class Shown {
  range = $state(USUAL);
  /** The end (ms) of what is on the screen; null while that is now. */
  until = $state<number | null>(null);
  /** The longest range (ms) that the service takes. */
  longest = $state(LONGEST_LIVE);
  /** Whether what is on the screen is not yet what was asked for. */
  loading = $state(false);

  readonly #points: () => number;
  /** What was asked for last; Infinity where that was not every sample up to now. */
  #asked = 0;
  /** The service's own step (ms). */
  #base = 1000;
  #halved = 0;

  /** `points` is how many columns a chart has room for. */
  constructor(points: () => number) {
    this.#points = points;
  }

  /** Whether the picture is not made of every sample up to now. */
  get far(): boolean {
    return this.until !== null || this.range > LONGEST_LIVE;
  }

  /** How much of the past (ms) has to be held. */
  get span(): number {
    return this.far ? this.range : LONGEST_LIVE;
  }

  /** Shows another part of time; whether other columns have to be asked for. */
  take({ range, until }: Span): boolean {
    const near = !this.far && until === null && range <= this.#asked;
    this.range = range;
    this.until = until;
    this.#halved = 0;
    return !near;
  }

  /** Whether the columns that are held do not belong to what will be asked for. */
  get other(): boolean {
    return this.far || this.#asked === Infinity;
  }

  /** What is asked for now. */
  wish(board: string): Wish {
    const { far, range, until } = this;
    this.#asked = far ? Infinity : range;
    this.loading = far;
    const step = far ? { step: stepFor(range, this.#points() / 2 ** this.#halved, this.#base) } : {};
    return { board, range, ...step, ...(until === null ? {} : { until }) };
  }

  /** What was asked for is here; whether that was waited for. */
  arrived(): boolean {
    const { loading } = this;
    this.loading = false;
    return loading;
  }

  /** Heeds the service's limits; whether to ask again, in other steps. */
  adapt({ step, limits }: Welcome, refusal: Refusal | null): boolean {
    this.longest = Math.max(limits.range, LONGEST_LIVE);
    const large = refusal?.code === "too_large" && this.#halved < COARSER;
    if (large) this.#halved += 1;
    const again = this.far && (large || step !== this.#base);
    this.#base = step;
    return again;
  }

  /** How much later (ms) than the service's own step the next column may come; a past that has ended has no next. */
  late(step: number): number {
    return this.until === null ? Math.max(0, step - this.#base) : Infinity;
  }
}
