/** What was received and painted and not acknowledged yet. The service sends only so much without being told. */
import type { Limits } from "./messages";

export class Receipts {
  #bytes = 0;
  #columns = 0;
  #since = 0;
  #painted: { n: number; lag: number } | null = null;

  /** A new connection owes nothing. */
  clear(now: number): void {
    this.#bytes = this.#columns = 0;
    this.#since = now;
    this.#painted = null;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A message with columns is to be acknowledged once it is painted. */
  columns(now: number): void {
    if (this.#columns === 0) this.#since = now;
    this.#columns += 1;
  }

  painted(n: number, lag: number): void {
    this.#painted = { n, lag: Math.max(0, Math.round(lag)) };
  }

  due(now: number, { ack_bytes, ack_after, credit }: Limits): boolean {
    return this.#bytes >= ack_bytes || this.#columns >= credit / 2 || now - this.#since >= ack_after;
  }

  /** What an acknowledgement says, or null where there is nothing to acknowledge. */
  take(now: number): { n: number; lag: number } | null {
    const painted = this.#columns === 0 ? null : this.#painted;
    if (painted !== null) this.clear(now);
    return painted;
  }
}
