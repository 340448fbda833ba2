/** When to ask again for what the service could not give at the moment. */
import { Backoff } from "../wire/backoff";
import type { Refusal } from "../wire/messages";

/** Milliseconds that are waited at least: what is too much now is so for a while. */
const LEAST = 2000;

export class Again {
  #at = Infinity;
  #heeded: Refusal | null = null;
  readonly #backoff: Backoff;

  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  /** Heeds what was refused at a time (ms), once; null where nothing is. */
  heed(refusal: Refusal | null, now: number): void {
    if (refusal === this.#heeded) return;
    this.#heeded = refusal;
    this.#at = refusal?.code === "unavailable" ? now + LEAST + this.#backoff.next(0) : Infinity;
  }

  /** Whether it is time, once. */
  due(now: number): boolean {
    const due = now >= this.#at;
    if (due) this.#at = Infinity;
    return due;
  }
}
