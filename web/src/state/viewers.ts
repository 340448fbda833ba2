/** Who watches, read from the rows of the service's table. */
import type { Cell } from "../wire/check";
import type { Table } from "../wire/messages";

/** Times and durations in ms, sizes in bytes; null where a figure is not known. */
export interface Viewer {
  session: string;
  address: string;
  /** What the browser calls itself: any text at all. */
  agent: string;
  user: string;
  board: string;
  since: number | null;
  roundTrip: number | null;
  rate: number | null;
  lag: number | null;
  skipped: number | null;
  waiting: number | null;
  oldest: number | null;
  state: string;
}

export interface Viewers {
  rows: Viewer[];
  total: number;
  /** When this was so, by the service's clock. */
  time: number;
}

/** `step` (ms) is the time from one table to the next. Columns that the service does not have are empty. */
export function viewersOf({ columns, rows, total, n }: Table, step: number): Viewers {
  const place = new Map(columns.map((name, i) => [name, i]));
  const viewer = (cells: readonly Cell[]): Viewer => {
    const cell = (name: string): Cell => cells[place.get(name) ?? -1] ?? null;
    const words = (name: string): string => String(cell(name) ?? "");
    const figure = (name: string): number | null => {
      const found = cell(name);
      return typeof found === "number" ? found : null;
    };
    return {
      session: words("session"),
      address: words("address"),
      agent: words("agent"),
      user: words("user"),
      board: words("board"),
      since: figure("since"),
      roundTrip: figure("round_trip"),
      rate: figure("rate"),
      lag: figure("lag"),
      skipped: figure("skipped"),
      waiting: figure("waiting"),
      oldest: figure("oldest"),
      state: words("state"),
    };
  };
  return { rows: rows.map(viewer), total, time: n * step };
}
