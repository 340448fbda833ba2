/** One table of the service, followed while somebody looks at it. Its holder sends what it asks for. */
import type { ClientMessage, Refusal, Table } from "./messages";

/** The number of a table's request; those for columns count from 1. */
export const TABLE_REQUEST = 0;

export class TableWatch {
  /** Stays when nobody looks any more, so that what is scrolled out of sight and back does not blink. */
  newest: Table | null = null;
  refusal: Refusal | null = null;
  #wanted = false;
  #open = false;
  #asked = false;
  #feed: number | null = null;

  constructor(
    readonly name: string,
    readonly send: (message: ClientMessage) => void,
  ) {}

  want(wanted: boolean): void {
    this.#wanted = wanted;
    this.refusal = null;
    this.#settle();
  }

  /** A new connection knows nothing of what was asked on the old one. */
  greeted(): void {
    this.#open = true;
    this.#asked = false;
    this.#feed = null;
    this.#settle();
  }

  lost(): void {
    this.#open = false;
  }

  received(message: Table): void {
    // What was on its way when the table was left is let go.
    if (!this.#asked || message.table !== this.name) return;
    this.#feed = message.feed;
    if (this.#wanted) this.newest = message;
    this.#settle();
  }

  refused(refusal: Refusal): void {
    this.#asked = false;
    this.refusal = this.#wanted ? refusal : null;
  }

  /** A table that is left before its first message can be given back only when that has told its feed. */
  #settle(): void {
    if (!this.#open) return;
    if (this.#wanted && !this.#asked) {
      this.#asked = true;
      this.send({ type: "subscribe", request: TABLE_REQUEST, table: this.name });
    } else if (!this.#wanted && this.#asked && this.#feed !== null) {
      this.send({ type: "unsubscribe", feed: this.#feed });
      this.#asked = false;
      this.#feed = null;
    }
  }
}
