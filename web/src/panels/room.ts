/**
 * Which panels stand small, in a line below their section, for want of data. Nothing that is in sight moves by itself:
 * a panel grows or shrinks with the first picture of another board or range, or below what is in sight.
 */
import type { Frame } from "../data/frame";
import type { Window } from "../data/window";
import type { Board } from "../wire/board";
import type { Placed } from "./layout";

/** Time (ms) after which every collector has had its turn. */
const PATIENCE = 60_000;

export interface Place {
  offset: number;
  empty: boolean;
  /** Whether its section is below what is in sight. */
  below: boolean;
}

/** Whether none of a panel's queries has a value in the frame. */
export const isEmpty = ({ panel, offset }: Placed, frame: Frame): boolean =>
  panel.queries.every((_, i) => frame.rows(offset + i).length === 0);

/** Whether what has no data now will hardly have any soon; of the past where there is nothing at all, nothing is said. */
export function settled(queries: number, frame: Frame, past: boolean): boolean {
  const rows = Array.from({ length: queries }, (_, i) => frame.rows(i)).flat();
  const then = frame.to - Math.max(1, Math.ceil(PATIENCE / frame.window.step));
  return rows.length === 0 ? !past : rows.some((row) => !Number.isNaN(frame.window.at(row, then)));
}

export class Room {
  #small: ReadonlySet<number> = new Set();
  #view: { board: Board; window: Window; range: number } | null = null;

  /** Offsets of those that stand small; the same object while they are the same. */
  look(board: Board, { window, range }: Frame, places: readonly Place[], settled: boolean): ReadonlySet<number> {
    const view = this.#view;
    const other = view?.board !== board;
    const anew = other || view.window !== window || view.range !== range;
    const before = other ? new Set<number>() : this.#small;
    const free = anew || places.every(({ offset }) => before.has(offset));
    this.#view = { board, window, range };
    const small = places.filter(({ offset, empty, below }) => {
      const was = before.has(offset);
      return free || below ? empty && (was || settled) : was;
    });
    const same = small.length === this.#small.size && small.every(({ offset }) => this.#small.has(offset));
    return same ? this.#small : (this.#small = new Set(small.map(({ offset }) => offset)));
  }

  /** Makes room for one that somebody asks for. */
  grow(offset: number): void {
    this.#small = new Set([...this.#small].filter((each) => each !== offset));
  }
}
