/**
 * Which way a connection goes: by WebSocket, or by server-sent events where something on the way does not let that
 * through. It is taken for the reason when the service answers HTTP meanwhile.
 */
import type { Socket, Wiring } from "./wiring";

export const SUBPROTOCOL = "monitor.v1";
/** So many tries of WebSocket in a row have to fail while the service answers HTTP. */
const ENOUGH = 2;
/** After so long (ms) it is tried again. */
export const AGAIN = 5 * 60_000;

export class Ways {
  /** Whether the newest connection that was welcomed is no WebSocket. */
  overHttp = false;
  /** Whether WebSocket is being tried again, while events would do. */
  retrying = false;
  readonly #wiring: Wiring;
  #events = false;
  #refused = 0;
  #againAt = 0;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
  }

  /** Begins a connection. */
  connect(): Socket {
    const { open, openEvents, url, now } = this.#wiring;
    const blocked = this.#refused >= ENOUGH;
    this.retrying = blocked && now() >= this.#againAt;
    if (this.retrying) this.#againAt = now() + AGAIN;
    this.#events = blocked && !this.retrying;
    return this.#events ? openEvents() : open(url, SUBPROTOCOL);
  }

  /** The connection was welcomed. */
  welcomed(): void {
    this.overHttp = this.#events;
    this.retrying = false;
    if (!this.#events) this.#refused = 0;
  }

  /** The connection ended and was never welcomed. */
  async failed(): Promise<void> {
    if (this.#events) this.#refused = ENOUGH - 1;
    else if (await this.#wiring.answers()) {
      this.#refused += 1;
      if (this.#refused === ENOUGH) this.#againAt = this.#wiring.now() + AGAIN;
    }
  }

  /** Whether WebSocket should be tried in place of events that flow. */
  get due(): boolean {
    return this.#events && this.#wiring.now() >= this.#againAt;
  }
}
