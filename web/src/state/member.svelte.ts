/** Whoever sits before the page, as far as the service knows. */
import type { Phase } from "../wire/wiring";
import { mayLook, type Identity } from "./identity";

/** What it needs of the world; tests pass their own. */
export interface Door {
  /** Who this is, to the service. */
  who: () => Promise<Identity>;
  /** Logs out. */
  leave: () => Promise<void>;
  /** Asks for the page anew: whoever may not see it any more gets the one to log in. */
  again: () => void;
}

export class Member {
  /** Null until the service has said so. */
  identity = $state.raw<Identity | null>(null);
  readonly #door: Door;
  #phase: Phase = "waiting";

  constructor(door: Door) {
    this.#door = door;
  }

  async ask(): Promise<void> {
    try {
      this.identity = await this.#door.who();
    } catch {
      // The network is gone: the connection says so, and nothing changes about who this is.
    }
  }

  /** A connection that could not be opened does not say why: it may be that this is nobody any more. */
  async heed(phase: Phase): Promise<void> {
    const before = this.#phase;
    this.#phase = phase;
    if (before !== "connecting" || phase !== "waiting") return;
    await this.ask();
    if (this.identity !== null && !mayLook(this.identity)) this.#door.again();
  }

  /** The boards were refused. */
  refused(): void {
    this.#door.again();
  }

  async logOut(): Promise<void> {
    await this.#door.leave();
    this.#door.again();
  }
}
