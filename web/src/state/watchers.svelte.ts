/** Who watches, while somebody looks at that. */
import type { Table } from "../wire/messages";
import type { TableWatch } from "../wire/table";
import { viewersOf, type Viewers } from "./viewers";

export class Watchers {
  /** Null until they are looked at. */
  now = $state.raw<Viewers | null>(null);
  /** Why there are none, in the service's words. */
  refused = $state("");
  #table: Table | null = null;

  constructor(readonly watch: TableWatch) {}

  /** Says whether somebody looks. */
  want(looked: boolean): void {
    this.watch.want(looked);
    this.refused = this.watch.refusal?.message ?? "";
  }

  /** Takes what has come since; `step` (ms) is the time from one table to the next. */
  look(step: number): void {
    const { newest, refusal } = this.watch;
    this.refused = refusal?.message ?? "";
    if (newest === this.#table) return;
    this.#table = newest;
    this.now = newest === null ? null : viewersOf(newest, step);
  }
}
