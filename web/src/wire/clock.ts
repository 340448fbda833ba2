/**
 * The server's clock, as seen from the browser's monotonic one.
 *
 * A message that states the server's time T and arrives at local time p says that the clock is at least T - p
 * ahead: exactly that less the way it took. The largest difference is the fastest way, hence the best estimate.
 * Only the newest `SPAN` of such samples count, as two clocks drift apart by seconds a day.
 */
const SPAN = 600_000;

export class ServerClock {
  #samples: { at: number; ahead: number }[] = [];
  #floor = -Infinity;

  /** A message stamped `time` as it was sent, received at local time `at`. */
  stamped(time: number, at: number): void {
    const ahead = time - at;
    // A sample that is older and smaller than another can never be the largest again.
    this.#samples = this.#samples.filter((sample) => sample.at > at - SPAN && sample.ahead > ahead);
    this.#samples.push({ at, ahead });
    this.#floor = -Infinity;
  }

  /** Something that existed at `time` was received at `at`: the clock cannot be behind that. */
  atLeast(time: number, at: number): void {
    this.#floor = Math.max(this.#floor, time - at);
  }

  /** Server time (ms since the epoch) at local time `at`, or null before the first stamp. */
  at(at: number): number | null {
    const best = this.#samples[0];
    return best === undefined ? null : at + Math.max(best.ahead, this.#floor);
  }

  reset(): void {
    this.#samples = [];
    this.#floor = -Infinity;
  }
}
