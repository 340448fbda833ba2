/** The bursts that are kept, and the one that is looked at. */
import { gridOf, panelsOf, slid, windowOf, zoomed, type Part, type Whole } from "../data/burst";
import { Frame } from "../data/frame";
import type { Window } from "../data/window";
import type { Panel } from "../wire/board";
import { keptOf, matrixOf, recordingOf, type Burst, type Recording } from "../wire/bursts";

/** Asks below api/v1/burst, with a body where something is to be kept; the answer, or an Error that says why not. */
export type AskBursts = (path: string, body?: object) => Promise<unknown>;

export interface Opened {
  burst: Burst;
  panels: Panel[];
  /** Where each panel's queries begin. */
  offsets: number[];
  window: Window;
  whole: Whole;
}

const told = (error: unknown): string => {
  if (!(error instanceof Error)) throw error;
  return error.message;
};

export class Bursts {
  /** Null until the service has said what there is. */
  recording = $state.raw<Recording | null>(null);
  opened = $state.raw<Opened | null>(null);
  part = $state.raw<Part>({ from: 0, to: 0 });
  /** What was done, or why not. */
  said = $state("");
  readonly #ask: AskBursts;
  #wanted = "";

  constructor(ask: AskBursts) {
    this.#ask = ask;
  }

  get frame(): Frame | null {
    if (this.opened === null) return null;
    const { from, to } = this.part;
    return new Frame(this.opened.window, to - from, to);
  }

  async list(): Promise<void> {
    try {
      this.recording = recordingOf(await this.#ask(""));
      this.said = "";
    } catch (error) {
      this.said = told(error);
    }
  }

  async keep(reason: string): Promise<void> {
    try {
      const burst = keptOf(await this.#ask("", { reason }));
      await this.list();
      await this.open(burst);
      this.said = "The last minute is kept.";
    } catch (error) {
      this.said = told(error);
    }
  }

  /** Later answers for another burst are of no interest. */
  async open(burst: Burst): Promise<void> {
    this.#wanted = burst.id;
    const panels = panelsOf(burst.step);
    const { start, end } = gridOf(burst);
    const ask = async (query: string): Promise<ReturnType<typeof matrixOf>> => {
      const times = { start: String(start / 1000), end: String(end / 1000), step: String(burst.step / 1000) };
      return matrixOf(await this.#ask(`/${burst.id}/query_range?${new URLSearchParams({ query, ...times }).toString()}`));
    };
    try {
      const found = await Promise.all(panels.flatMap(({ queries }) => queries.map(({ query }) => ask(query))));
      if (this.#wanted !== burst.id) return;
      let before = 0;
      const offsets = panels.map(({ queries }) => (before += queries.length) - queries.length);
      this.part = { from: start, to: end };
      this.opened = { burst, panels, offsets, window: windowOf(burst, found), whole: { ...this.part, step: burst.step } };
    } catch (error) {
      this.said = told(error);
    }
  }

  close(): void {
    this.#wanted = "";
    this.opened = null;
  }

  zoom(factor: number, around: number | null): void {
    if (this.opened !== null) this.part = zoomed(this.part, factor, around, this.opened.whole);
  }

  move(direction: -1 | 1): void {
    if (this.opened !== null) this.part = slid(this.part, direction, this.opened.whole);
  }

  /** What was drawn over with the pointer. */
  select(part: Part): void {
    if (this.opened === null) return;
    const factor = (part.to - part.from) / (this.part.to - this.part.from);
    this.part = zoomed(this.part, factor, (part.from + part.to) / 2, this.opened.whole);
  }

  all(): void {
    if (this.opened !== null) this.part = this.opened.whole;
  }
}
