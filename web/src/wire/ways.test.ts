import { beforeEach, describe, expect, it } from "vitest";
import { FakeNet, welcome } from "../testing/service";
import { Live } from "./live";
import { AGAIN } from "./ways";

let net: FakeNet;
let live: Live;

beforeEach(() => {
  net = new FakeNet();
  net.http = true;
  live = new Live({
    url: "ws://host/live",
    open: net.open,
    openEvents: net.openEvents,
    answers: net.answers,
    now: () => net.now,
    random: () => net.luck,
    sink: { absorb: () => undefined, append: () => undefined, clear: () => undefined, newest: null },
    changed: () => undefined,
    restarted: () => undefined,
    knows: () => true,
    news: () => undefined,
  });
});

const ways = (): string[] => net.sockets.map(({ url }) => (url === "events" ? url : "websocket"));
const beat = { type: "beat", time: 0 };

/** Checks every 250 ms, as the page does, with time for the answers to HTTP; beats come meanwhile, if there are any. */
async function pass(ms: number, beats = false): Promise<void> {
  for (const end = net.now + ms; net.now < end; ) {
    net.now = Math.min(end, net.now + 250);
    if (beats) net.socket.deliver(beat);
    live.check();
    await Promise.resolve();
    await Promise.resolve();
  }
}

/** The newest connection ends before it was welcomed; then the next begins. */
async function refuse(): Promise<void> {
  const before = net.sockets.length;
  net.socket.end(1006);
  while (net.sockets.length === before) await pass(250);
}

/** Twice no WebSocket comes about, then events do. */
async function fallBack(): Promise<void> {
  live.follow({ board: "overview", range: 300_000 });
  await refuse();
  await refuse();
  net.socket.deliver(welcome());
}

describe("the way", () => {
  it("is a WebSocket, and after two that never came about events", async () => {
    await fallBack();
    expect(ways()).toEqual(["websocket", "websocket", "events"]);
    expect(live.ways.overHttp).toBe(true);
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 1, board: "overview", range: 300_000 }]);
  });

  it("is a WebSocket still when one of the two came about", async () => {
    live.follow({ board: "overview", range: 300_000 });
    await refuse();
    net.socket.deliver(welcome());
    await refuse();
    await refuse();
    expect(ways()).not.toContain("events");
    expect(live.ways.overHttp).toBe(false);
  });

  it("is not taken for the reason while the service does not answer HTTP either", async () => {
    net.http = false;
    live.follow({ board: "overview", range: 300_000 });
    for (let i = 0; i < 6; i += 1) await refuse();
    expect(ways()).not.toContain("events");
  });

  it("is taken for the reason, too, when a WebSocket just hangs", async () => {
    live.follow({ board: "overview", range: 300_000 });
    await pass(25_000);
    expect(ways()).toEqual(["websocket", "websocket", "events"]);
  });

  it("stays when events are cut, which goes on where it was", async () => {
    await fallBack();
    await refuse();
    expect(ways().slice(3)).toEqual(["events"]);
  });

  it("is in doubt when events do not come about either", async () => {
    await fallBack();
    await refuse();
    await refuse();
    await refuse();
    expect(ways().slice(3)).toEqual(["events", "websocket", "events"]);
  });
});

describe("after some minutes of events", () => {
  it("WebSocket is tried again, and kept", async () => {
    await fallBack();
    await pass(AGAIN, true);
    expect(ways().slice(3)).toEqual(["websocket"]);
    expect(net.sockets[2]?.closed).toBe(true);
    net.socket.deliver(welcome());
    expect(live.ways.overHttp).toBe(false);
    await refuse();
    expect(ways().at(-1)).toBe("websocket");
  });

  it("a try that fails leads back at once, and the next is some minutes away", async () => {
    await fallBack();
    await pass(AGAIN, true);
    net.socket.end(1006);
    expect(live.retryAt).toBe(net.now);
    live.check();
    net.socket.deliver(welcome());
    expect(ways().slice(3)).toEqual(["websocket", "events"]);
    expect(live.ways.overHttp).toBe(true);
    await pass(AGAIN - 1000, true);
    expect(ways()).toHaveLength(5);
    await pass(1000, true);
    expect(ways().at(-1)).toBe("websocket");
  });

  it("a try that hangs is given up as soon as the silence tells", async () => {
    await fallBack();
    await pass(AGAIN, true);
    await pass(3500);
    expect(ways().at(-1)).toBe("events");
  });

  it("nothing is tried while nobody looks", async () => {
    await fallBack();
    live.setVisible(false);
    await pass(2 * AGAIN, true);
    expect(ways()).toHaveLength(3);
  });
});
