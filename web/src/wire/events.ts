/** The live stream over server-sent events, in the shape of a WebSocket (docs/protocol.md, Without an upgrade). */
import type { Socket } from "./wiring";

const LOST = 1006;

export type Source = Pick<EventSource, "addEventListener" | "close" | "onmessage" | "onerror">;
/** Sends a body of JSON to a path; whether it was taken. */
export type Post = (path: string, body: string) => Promise<boolean>;

export class EventSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly #source: Source;
  readonly #post: Post;
  #address: string | null = null;
  #waiting: { path: string; body: string }[] = [];
  #posting = false;

  /** `path` is where the source has its events from. */
  constructor(path: string, source: Source, post: Post) {
    this.#source = source;
    this.#post = post;
    source.onmessage = (event) => this.onmessage?.(event);
    source.onerror = () => this.#end(LOST);
    source.addEventListener("address", ({ data }) => {
      this.#address = `${path}/${data}`;
      void this.#flush();
    });
    source.addEventListener("ping", ({ data }) => this.#say("/pong", String(data)));
    source.addEventListener("close", ({ data }) => this.#end(Number.parseInt(String(data)) || LOST));
  }

  send(message: string): void {
    this.#say("", message);
  }

  close(): void {
    this.#waiting = [];
    this.#source.close();
  }

  #end(code: number): void {
    this.close();
    this.onclose?.(new CloseEvent("close", { code }));
  }

  #say(path: string, body: string): void {
    this.#waiting.push({ path, body });
    void this.#flush();
  }

  /** One after the other: requests may overtake each other. */
  async #flush(): Promise<void> {
    if (this.#posting || this.#address === null) return;
    this.#posting = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!(await this.#post(this.#address + next.path, next.body))) this.#end(LOST);
    }
    this.#posting = false;
  }
}
