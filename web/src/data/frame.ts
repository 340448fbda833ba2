/** What is on the screen: the columns from `from` to `to` of a window. Made once a paint, read by every chart. */
import type { Row, Window } from "./window";

export class Frame {
  readonly window: Window;
  readonly range: number;
  readonly from: number;
  readonly to: number;
  #times: Float64Array | null = null;

  /** `range` ms of a window up to a time (ms), or the newest. */
  constructor(window: Window, range: number, until: number | null = null) {
    this.window = window;
    this.range = range;
    this.to = until === null ? window.last : Math.round(until / window.step);
    this.from = this.to - Math.round(range / window.step);
  }

  get revision(): number {
    return this.window.revision;
  }

  get empty(): boolean {
    return this.to === 0;
  }

  /** Times of the first and the last column, and from one to the next (ms). */
  get ends(): [number, number, number] {
    const { step } = this.window;
    return [this.from * step, this.to * step, step];
  }

  /** Time (ms) of every column, shared by all charts. */
  get times(): Float64Array {
    const { from, to, window } = this;
    this.#times ??= Float64Array.from({ length: to - from + 1 }, (_, i) => (from + i) * window.step);
    return this.#times;
  }

  /** The row's values as uPlot takes them: `null` for a gap. */
  values(row: Row): (number | null)[] {
    const { from, to, window } = this;
    return Array.from({ length: to - from + 1 }, (_, i) => {
      const value = window.at(row, from + i);
      return Number.isNaN(value) ? null : value;
    });
  }

  /** The value nearest to `time` (ms), or the newest where no time is given; NaN for a gap. */
  at(row: Row, time: number | null): number {
    return this.window.at(row, time === null ? this.to : Math.round(time / this.window.step));
  }

  /** The rows of a query that have a value somewhere in the frame. */
  rows(query: number): Row[] {
    return this.empty ? [] : this.window.rows(query).filter((row) => row.last >= this.from);
  }
}
