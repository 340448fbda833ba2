/** What the hosts are, asked for when somebody looks. */
import { hostsOf, type Hosts as Answer } from "../wire/host";

/** Asks api/v1/host for a time (ms), or for now; an Error says why not. */
export type AskHosts = (time: number | null) => Promise<unknown>;

export class Hosts {
  /** Null until the service has told. */
  answer = $state.raw<Answer | null>(null);
  /** Why it has not. */
  refused = $state("");
  readonly #ask: AskHosts;
  #asked = 0;

  constructor(ask: AskHosts) {
    this.#ask = ask;
  }

  /** What was told before stands until the newest question is answered. */
  async ask(time: number | null): Promise<void> {
    const number = (this.#asked += 1);
    try {
      const answer = hostsOf(await this.#ask(time));
      if (number !== this.#asked) return;
      this.answer = answer;
      this.refused = "";
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (number === this.#asked) this.refused = error.message;
    }
  }
}
