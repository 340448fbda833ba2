/** The window that columns go to at present: another one when other steps or another part of time are asked for. */
import type { Sink } from "../wire/feed";
import type { Columns, Series } from "../wire/messages";
import { Window } from "./window";

export class Held implements Sink {
  window: Window;

  /** `span` is how much of the past is held, in ms. */
  constructor(span: number) {
    this.window = new Window(span);
  }

  /** What was held stays as it is for who looks at it. */
  renew(span: number): void {
    this.window = new Window(span);
  }

  get newest(): number | null {
    return this.window.newest;
  }

  absorb(series: readonly Series[], columns: Columns, step: number): void {
    this.window.absorb(series, columns, step);
  }

  append(series: readonly Series[], t: number, v: readonly (number | null)[]): void {
    this.window.append(series, t, v);
  }

  clear(): void {
    this.window.clear();
  }
}
