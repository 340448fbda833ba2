/**
 * The newest columns of a feed, in fixed memory: one ring of numbers per series, NaN where there is no value.
 *
 * Times are multiples of the step, so a column's number n = t / step says where it lives: slot n modulo the
 * capacity. What arrives twice lands on itself, what never arrives stays a gap, and nothing is ever moved.
 */
import type { Sink } from "../wire/feed";
import type { Columns, Series } from "../wire/messages";

export interface Row {
  readonly key: string;
  readonly series: Series;
  readonly values: Float64Array;
  /** Number of the newest column with a value. */
  last: number;
}

const natural = new Intl.Collator("en", { numeric: true });

/** A series' identity: its query and its labels, whatever their order. */
export function seriesKey({ query, labels }: Series): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([query, pairs]);
}

export class Window implements Sink {
  /** Changes when a series comes or goes. */
  revision = 0;
  step = 1000;
  /** Number of the newest column. */
  last = 0;

  readonly #span: number;
  #capacity: number;
  #rows = new Map<string, Row>();
  #byQuery = new Map<number, Row[]>();
  /** The list of series last seen, and its rows: ticks repeat the same list. */
  #known: { series: readonly Series[]; rows: Row[] } = { series: [], rows: [] };

  /** `span` is how much of the past is held, in ms. */
  constructor(span: number) {
    this.#span = span;
    this.#capacity = this.#columnsHeld();
  }

  get newest(): number | null {
    return this.last === 0 ? null : this.last * this.step;
  }

  absorb(series: readonly Series[], columns: Columns, step: number): void {
    if (step !== this.step) this.#regrid(step);
    const rows = this.#rowsFor(series);
    const newest = columns.t.at(-1);
    if (newest !== undefined) this.#advance(this.#number(newest));
    columns.t.forEach((t, i) => {
      const n = this.#number(t);
      rows.forEach((row, r) => this.#put(row, n, columns.v[r]?.[i] ?? null));
    });
    this.#expire();
  }

  append(series: readonly Series[], t: number, v: readonly (number | null)[]): void {
    const n = this.#number(t);
    const rows = this.#rowsFor(series);
    this.#advance(n);
    rows.forEach((row, r) => this.#put(row, n, v[r] ?? null));
    if (n % this.#capacity === 0) this.#expire();
  }

  clear(): void {
    this.#rows.clear();
    this.#known = { series: [], rows: [] };
    this.last = 0;
    this.#reindex();
  }

  /** The rows of one query, in a natural order of their labels. */
  rows(query: number): readonly Row[] {
    return this.#byQuery.get(query) ?? [];
  }

  /** The value of a row in column `n`; NaN for a gap and for what is not held. */
  at(row: Row, n: number): number {
    return n > this.last || n <= this.last - this.#capacity ? NaN : (row.values[n % this.#capacity] ?? NaN);
  }

  /** What is held now, for good: later columns do not reach it. */
  copy(): Window {
    const other = new Window(this.#span);
    other.#regrid(this.step);
    other.last = this.last;
    for (const row of this.#rows.values()) other.#rows.set(row.key, { ...row, values: row.values.slice() });
    other.#reindex();
    other.revision = this.revision;
    return other;
  }

  #columnsHeld(): number {
    return Math.ceil(this.#span / this.step) + 1;
  }

  #number(t: number): number {
    return Math.round(t / this.step);
  }

  #regrid(step: number): void {
    this.clear();
    this.step = step;
    this.#capacity = this.#columnsHeld();
  }

  #put(row: Row, n: number, value: number | null): void {
    if (value === null || n <= this.last - this.#capacity) return;
    row.values[n % this.#capacity] = value;
    row.last = Math.max(row.last, n);
  }

  #advance(n: number): void {
    if (n <= this.last) return;
    const from = Math.max(this.last + 1, n - this.#capacity + 1);
    for (const { values } of this.#rows.values()) {
      for (let i = from; i <= n; i += 1) values[i % this.#capacity] = NaN;
    }
    this.last = n;
  }

  #rowsFor(series: readonly Series[]): Row[] {
    if (series !== this.#known.series) {
      const before = this.#rows.size;
      this.#known = { series, rows: series.map((entry) => this.#row(entry)) };
      if (this.#rows.size !== before) this.#reindex();
    }
    return this.#known.rows;
  }

  #row(series: Series): Row {
    const key = seriesKey(series);
    const held = this.#rows.get(key);
    if (held !== undefined) return held;
    const row = { key, series, values: new Float64Array(this.#capacity).fill(NaN), last: this.last };
    this.#rows.set(key, row);
    return row;
  }

  /** Lets go of rows that have no value left and are not in the feed any more. */
  #expire(): void {
    const gone = [...this.#rows.values()].filter(
      (row) => row.last <= this.last - this.#capacity && !this.#known.rows.includes(row),
    );
    for (const { key } of gone) this.#rows.delete(key);
    if (gone.length > 0) this.#reindex();
  }

  #reindex(): void {
    const rows = [...this.#rows.values()].sort((a, b) => natural.compare(a.key, b.key));
    this.#byQuery = Map.groupBy(rows, (row) => row.series.query);
    this.revision += 1;
  }
}
