/** One table of the service, followed while somebody looks at it. Its holder sends what it asks for. */
import type { ClientMessage, Refusal, Table, View } from "./messages";

const keyOf = (view: View | undefined): string =>
  view === undefined ? "" : JSON.stringify([view.sort, view.descending, view.filter, view.limit]);

export class TableWatch {
  /** Stays when nobody looks any more, so that what is scrolled out of sight and back does not blink. */
  newest: Table | null = null;
  refusal: Refusal | null = null;
  #wanted = false;
  #view: View | undefined;
  #open = false;
  /** The view that was asked for on this connection and not given back. */
  #asked: string | null = null;
  #feed: number | null = null;
  /** Views that were left before their first message told the feed, which is given back with it. */
  readonly #leaving = new Set<string>();

  /** `request` is the number of its requests; those for columns count from 1. */
  constructor(
    readonly name: string,
    readonly request: number,
    readonly send: (message: ClientMessage) => void,
  ) {}

  /** `view` is for a table that has several. */
  want(wanted: boolean, view?: View): void {
    this.#wanted = wanted;
    this.#view = view;
    this.refusal = null;
    this.#settle();
  }

  /** A new connection knows nothing of what was asked on the old one. */
  greeted(): void {
    this.#open = true;
    this.#asked = this.#feed = null;
    this.#leaving.clear();
    this.#settle();
  }

  lost(): void {
    this.#open = false;
  }

  received(message: Table): void {
    if (message.table !== this.name) return;
    const key = keyOf(message.view);
    // What was on its way when the table or the view was left is let go.
    if (this.#leaving.delete(key)) this.send({ type: "unsubscribe", feed: message.feed });
    else if (key === this.#asked) [this.#feed, this.newest] = [message.feed, message];
  }

  /** Of other requests it is none of its business. */
  refused(refusal: Refusal): void {
    if (refusal.request !== this.request) return;
    this.#asked = null;
    this.refusal = this.#wanted ? refusal : null;
  }

  #settle(): void {
    if (!this.#open) return;
    const wanted = this.#wanted ? keyOf(this.#view) : null;
    if (this.#asked !== null && this.#asked !== wanted) this.#leave(this.#asked);
    if (wanted === null || this.#asked !== null) return;
    this.#asked = wanted;
    this.#leaving.delete(wanted);
    this.send({ type: "subscribe", request: this.request, table: this.name, ...this.#view });
  }

  #leave(asked: string): void {
    if (this.#feed === null) this.#leaving.add(asked);
    else this.send({ type: "unsubscribe", feed: this.#feed });
    this.#asked = this.#feed = null;
  }
}
