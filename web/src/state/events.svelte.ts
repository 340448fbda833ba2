/** What happened in the part of time that is on the screen; asked for anew as that moves, or where columns are missing. */
import { happened, type Happened } from "../wire/happened";

/** How often (ms) what has happened since is asked for, while nothing seems to have. */
const EVERY = 300_000;
/** After an answer that did not come. */
const AFTER_FAILURE = 30_000;
/** More columns than this that come at once were held up by something. */
const AT_ONCE = 5;

export class Events {
  all = $state.raw<readonly Happened[]>([]);
  readonly #ask: (from: number, to: number) => Promise<unknown>;
  /** What was asked for last, and when that is to be asked anew. */
  #from = Infinity;
  #until = 0;
  #seen = 0;
  #asking = false;

  /** `ask` answers `api/v1/events` for a range in ms. */
  constructor(ask: (from: number, to: number) => Promise<unknown>) {
    this.#ask = ask;
  }

  /** Columns of so many ms each are on the screen, the first and the last of these times. */
  look(from: number, to: number, step: number): void {
    const jumped = Math.abs(to - this.#seen) > AT_ONCE * step;
    this.#seen = to;
    if (this.#asking || (from >= this.#from && to < this.#until && !jumped)) return;
    void this.#refresh(from, to, Math.max(EVERY, step));
  }

  async #refresh(from: number, to: number, every: number): Promise<void> {
    this.#asking = true;
    // What is in the making has its end a little later than its newest column.
    const found = await this.#ask(from, to + every).then(happened).catch(() => null);
    this.#asking = false;
    if (found !== null) this.all = found;
    this.#from = from;
    this.#until = to + (found === null ? AFTER_FAILURE : every);
  }
}
