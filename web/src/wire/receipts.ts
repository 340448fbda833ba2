/** What was received and painted and not acknowledged yet. The service sends only so much without being told. */
import type { Limits } from "./messages";

/** The newest message of a feed that is on the screen; `lag` (ms) is told of samples alone. */
export interface Receipt {
  feed: number;
  n: number;
  lag?: number;
}

export class Receipts {
  #bytes = 0;
  #columns = 0;
  #since = 0;
  #painted = new Map<number, Receipt>();

  /** A new connection owes nothing. */
  clear(now: number): void {
    this.#bytes = this.#columns = 0;
    this.#since = now;
    this.#painted.clear();
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A message with columns or rows is to be acknowledged once it is painted. */
  columns(now: number): void {
    if (this.#columns === 0) this.#since = now;
    this.#columns += 1;
  }

  painted(receipt: Receipt): void {
    this.#painted.set(receipt.feed, receipt);
  }

  due(now: number, { ack_bytes, ack_after, credit }: Limits): boolean {
    return this.#bytes >= ack_bytes || this.#columns >= credit / 2 || now - this.#since >= ack_after;
  }

  /** What there is to acknowledge. */
  take(now: number): Receipt[] {
    const painted = this.#columns === 0 ? [] : [...this.#painted.values()];
    if (painted.length > 0) this.clear(now);
    return painted;
  }
}
