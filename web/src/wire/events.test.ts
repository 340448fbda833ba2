import { beforeEach, expect, it } from "vitest";
import { EventSocket, type Source } from "./events";

class FakeSource implements Source {
  onmessage: Source["onmessage"] = null;
  onerror: Source["onerror"] = null;
  closed = false;
  #listeners = new Map<string, (event: MessageEvent) => unknown>();

  addEventListener(kind: string, listener: unknown): void {
    this.#listeners.set(kind, listener as (event: MessageEvent) => unknown);
  }

  close(): void {
    this.closed = true;
  }

  tell(kind: string, data: string): void {
    this.#listeners.get(kind)?.(new MessageEvent(kind, { data }));
  }

  message(data: string): void {
    this.onmessage?.call(this as unknown as EventSource, new MessageEvent("message", { data }));
  }

  break(): void {
    this.onerror?.call(this as unknown as EventSource, new Event("error"));
  }
}

let source: FakeSource;
let socket: EventSocket;
let posts: { path: string; body: string; answer: (taken: boolean) => void }[];
let closes: number[];

beforeEach(() => {
  source = new FakeSource();
  posts = [];
  closes = [];
  const post = (path: string, body: string): Promise<boolean> =>
    new Promise((answer) => posts.push({ path, body, answer }));
  socket = new EventSocket("events", source, post);
  socket.onclose = ({ code }) => closes.push(code);
});

/** The newest request is answered. */
async function answered(taken = true): Promise<void> {
  posts.at(-1)?.answer(taken);
  await Promise.resolve();
  await Promise.resolve();
}

it("hands over messages", () => {
  const got: unknown[] = [];
  socket.onmessage = ({ data }) => got.push(data);
  source.message("one");
  source.message("two");
  expect(got).toEqual(["one", "two"]);
});

it("says nothing before it knows where, and then one after the other", async () => {
  socket.send("one");
  socket.send("two");
  expect(posts).toEqual([]);
  source.tell("address", "a1b2");
  expect(posts).toMatchObject([{ path: "events/a1b2", body: "one" }]);
  await answered();
  expect(posts[1]).toMatchObject({ path: "events/a1b2", body: "two" });
  await answered();
  expect(posts).toHaveLength(2);
});

it("answers a ping", () => {
  source.tell("address", "a1b2");
  source.tell("ping", "7");
  expect(posts).toMatchObject([{ path: "events/a1b2/pong", body: "7" }]);
});

it("ends with the code that the service tells", () => {
  source.tell("close", "1012 service restart");
  expect(closes).toEqual([1012]);
  expect(source.closed).toBe(true);
});

it("ends when the stream breaks, and does not come back by itself", () => {
  source.break();
  expect(closes).toEqual([1006]);
  expect(source.closed).toBe(true);
});

it("ends when it cannot speak, and says no more", async () => {
  source.tell("address", "a1b2");
  socket.send("one");
  socket.send("two");
  await answered(false);
  expect(closes).toEqual([1006]);
  expect(posts).toHaveLength(1);
});

it("says no more once it is closed", async () => {
  source.tell("address", "a1b2");
  socket.send("one");
  socket.send("two");
  socket.close();
  await answered();
  expect(posts).toHaveLength(1);
  expect(closes).toEqual([]);
});
