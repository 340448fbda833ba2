/** How long to wait before the next try: full jitter over an exponential ceiling, so that a crowd spreads out. */
const FIRST = 250;
const CEILING = 15_000;
/** A connection that lasted this long (ms) was well; only then does the ceiling start low again. */
const HEALTHY_AFTER = 30_000;

export class Backoff {
  #tries = 0;

  constructor(readonly random: () => number) {}

  /** Milliseconds to wait, after a connection that lived for `lived` ms. */
  next(lived: number): number {
    if (lived >= HEALTHY_AFTER) this.#tries = 0;
    const ceiling = Math.min(CEILING, FIRST * 2 ** this.#tries);
    this.#tries += 1;
    return this.random() * ceiling;
  }
}
