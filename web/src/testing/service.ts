/** A service for tests: sockets that record, a clock that stands still, messages of the protocol. */
import type { Series } from "../wire/messages";
import type { Socket } from "../wire/wiring";

export const STEP = 1000;
/** Server time when local time is 0. */
export const EPOCH = 1_764_000_000_000;

export class FakeSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: Record<string, unknown>[] = [];
  closed = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  deliver(message: object | string): void {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  end(code: number): void {
    this.onclose?.(new CloseEvent("close", { code }));
  }
}

export class FakeNet {
  now = 0;
  luck = 1;
  /** Whether the service answers HTTP. */
  http = false;
  sockets: FakeSocket[] = [];

  open = (url: string, protocol: string): FakeSocket => {
    const socket = new FakeSocket(url, protocol);
    this.sockets.push(socket);
    return socket;
  };

  openEvents = (): FakeSocket => this.open("events", "");
  answers = (): Promise<boolean> => Promise.resolve(this.http);

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("nothing was connected");
    return last;
  }

  /** What was sent on the newest connection, of one type. */
  sent(type: string): Record<string, unknown>[] {
    return this.socket.sent.filter((message) => message.type === type);
  }
}

export const load: Series[] = [{ query: 0, labels: { instance: "web-1" } }];

export const welcome = (time = EPOCH): object => ({
  type: "welcome",
  server: { name: "monitor", version: "0.1.0", instance: "web-1" },
  session: "s",
  epoch: "e",
  time,
  step: STEP,
  ping: { interval: 10_000, timeout: 10_000, sweep: 1000 },
  limits: { ack_bytes: 32_768, ack_after: 5000, credit: 12, range: 900_000 },
});

/** `seconds` after EPOCH. */
export const at = (seconds: number): { n: number; t: number } => ({
  n: EPOCH / STEP + seconds,
  t: EPOCH + seconds * STEP,
});

export const columns = (from: number, to: number, value = 1): { t: number[]; v: (number | null)[][] } => {
  const t = Array.from({ length: to - from + 1 }, (_, i) => at(from + i).t);
  return { t, v: [t.map(() => value)] };
};

export const subscribed = (request: number, from: number, to: number, extra: object = {}): object => ({
  type: "subscribed",
  request,
  feed: 3,
  n: at(to).n,
  step: STEP,
  series: load,
  columns: columns(from, to),
  complete: true,
  oldest: null,
  ...extra,
});

export const tick = (seconds: number, v: (number | null)[] = [1]): object => ({ type: "tick", feed: 3, ...at(seconds), v });
