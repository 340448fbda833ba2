/** What runs on the host: now, while somebody looks, or at a moment of the past. */
import { list, cell, integer, nullable, number, object, text, WireError, type Cell } from "../wire/check";
import type { Table, View } from "../wire/messages";
import type { TableWatch } from "../wire/table";

/** Times in ms, sizes in bytes, `read` and `write` in bytes a second, `cpu` in cores; null where it is not known. */
export interface Process {
  pid: number;
  start: number | null;
  command: string;
  arguments: string;
  user: string;
  unit: string;
  state: string;
  cpu: number | null;
  memory: number | null;
  read: number | null;
  write: number | null;
  threads: number | null;
}

export interface Listed {
  rows: Process[];
  total: number;
  /** When this was so, by the service's clock; null where nothing was kept of that moment. */
  time: number | null;
  about: Readonly<Record<string, number>>;
}

function processesOf(columns: readonly string[], rows: readonly Cell[][]): Process[] {
  const place = new Map(columns.map((name, i) => [name, i]));
  return rows.map((cells) => {
    const found = (name: string): Cell => cells[place.get(name) ?? -1] ?? null;
    const words = (name: string): string => String(found(name) ?? "");
    const figure = (name: string): number | null => {
      const value = found(name);
      return typeof value === "number" ? value : null;
    };
    return {
      pid: figure("pid") ?? 0,
      start: figure("start"),
      command: words("command"),
      arguments: words("arguments"),
      user: words("user"),
      unit: words("unit"),
      state: words("state"),
      cpu: figure("cpu"),
      memory: figure("memory"),
      read: figure("read"),
      write: figure("write"),
      threads: figure("threads"),
    };
  });
}

/** The answer of `api/v1/processes`. */
function kept(answer: unknown): Listed {
  const data = object(object(answer, "answer").data, "data");
  const time = nullable(number)(data.time, "time");
  const columns = list(text)(data.columns, "columns");
  const rows = processesOf(columns, list(list(cell))(data.rows, "rows"));
  return { rows, total: rows.length, time: time === null ? null : integer(Math.round(time * 1000), "time"), about: {} };
}

export class Processes {
  /** Null until they are looked at. */
  now = $state.raw<Listed | null>(null);
  /** Why there are none, in the service's words. */
  refused = $state("");
  /** Of the moment that was asked for; null while there is no answer. */
  then = $state.raw<Listed | null>(null);
  #table: Table | null = null;
  #asked = 0;

  /** `past` answers `api/v1/processes` for a time in ms; `changed` is told when something else is wanted. */
  constructor(
    readonly watch: TableWatch,
    readonly past: (time: number) => Promise<unknown>,
  ) {}

  /** What is wanted of the present; null for nothing. */
  want(view: View | null): void {
    if (view === null) this.watch.want(false);
    else this.watch.want(true, view);
  }

  /** Asks for the moment (ms). The last that was asked for counts. */
  async at(time: number): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.then = null;
    this.refused = "";
    try {
      const found = kept(await this.past(time));
      if (asked === this.#asked) this.then = found;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const reason = error instanceof WireError ? "the service answered something else than expected" : error.message;
      if (asked === this.#asked) this.refused = `Nothing could be asked of that moment: ${reason}.`;
    }
  }

  /** Takes what has come since; `step` (ms) is the time from one table to the next. */
  look(step: number): void {
    const { newest, refusal } = this.watch;
    if (refusal !== null) this.refused = refusal.message;
    if (newest === this.#table || newest === null) return;
    this.#table = newest;
    this.refused = "";
    const { columns, rows, total, n, about = {} } = newest;
    this.now = { rows: processesOf(columns, rows), total, time: n * step, about };
  }
}
