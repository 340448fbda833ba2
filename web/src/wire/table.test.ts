import { beforeEach, describe, expect, it } from "vitest";
import { at, FakeNet, subscribed, tick, welcome } from "../testing/service";
import { Live } from "./live";

const subscribe = { type: "subscribe", request: 0, table: "viewers" };
const table = (seconds: number, session = "s"): object => ({
  type: "table",
  table: "viewers",
  feed: 5,
  n: at(seconds).n,
  columns: ["session"],
  rows: [[session]],
  total: 1,
});

let net: FakeNet;
let live: Live;
let newest: number | null;

beforeEach(() => {
  net = new FakeNet();
  newest = null;
  live = new Live({
    url: "ws://host/live",
    open: net.open,
    openEvents: net.openEvents,
    answers: net.answers,
    now: () => net.now,
    random: () => net.luck,
    sink: {
      absorb: (_, { t }) => (newest = t.at(-1) ?? null),
      append: (_, t) => (newest = t),
      clear: () => (newest = null),
      get newest() {
        return newest;
      },
    },
    changed: () => undefined,
    restarted: () => undefined,
    knows: () => true,
    news: () => undefined,
  });
  live.follow({ board: "overview", range: 300_000 });
});

const open = (): void => {
  net.socket.deliver(welcome());
  net.socket.deliver(subscribed(1, -2, 0));
};
const asked = (): object[] => net.sent("subscribe").filter(({ table: name }) => name !== undefined);

describe("the viewers", () => {
  it("are asked for only while somebody looks", () => {
    open();
    expect(asked()).toEqual([]);
    live.viewers.want(true);
    expect(asked()).toEqual([subscribe]);
    net.socket.deliver(table(1));
    expect(live.viewers.newest?.rows).toEqual([["s"]]);
    live.viewers.want(false);
    expect(net.sent("unsubscribe")).toEqual([{ type: "unsubscribe", feed: 5 }]);
    net.socket.deliver(table(2)); // on its way when the table was left
    expect(live.viewers.newest?.n).toBe(at(1).n);
  });

  it("are asked for once the connection is there, and again on the next", () => {
    live.viewers.want(true);
    expect(net.socket.sent).toEqual([]);
    open();
    expect(asked()).toEqual([subscribe]);
    net.socket.end(1006);
    net.now = 300;
    live.check();
    net.socket.deliver(welcome());
    expect(asked()).toEqual([subscribe]);
  });

  it("that are left before they have answered are given back with the answer", () => {
    open();
    live.viewers.want(true);
    live.viewers.want(false);
    expect(net.sent("unsubscribe")).toEqual([]);
    net.socket.deliver(table(1));
    expect(net.sent("unsubscribe")).toEqual([{ type: "unsubscribe", feed: 5 }]);
    expect(live.viewers.newest).toBeNull();
  });

  it("that the service refuses say why", () => {
    open();
    live.viewers.want(true);
    net.socket.deliver({ type: "error", request: 0, code: "unknown_table", message: "no table named 'viewers'" });
    expect(live.viewers.refusal?.message).toBe("no table named 'viewers'");
    expect(live.refusal).toBeNull();
  });

  it("are acknowledged, so that a large table does not hold up the board", () => {
    open();
    live.viewers.want(true);
    net.socket.deliver(table(0, "s".repeat(40_000)));
    expect(net.sent("ack")).toEqual([{ type: "ack", feed: 5, n: at(0).n }]);
  });

  it("and the samples are acknowledged each by their own feed", () => {
    open();
    live.viewers.want(true);
    net.socket.deliver(tick(1));
    net.socket.deliver(table(1));
    net.now = 5000;
    live.painted(at(1).n, 42);
    expect(net.sent("ack")).toEqual([
      { type: "ack", feed: 5, n: at(1).n },
      { type: "ack", feed: 3, n: at(1).n, lag: 42 },
    ]);
  });
});

describe("a connection that an operator cut", () => {
  beforeEach(() => {
    open();
    net.socket.end(4403);
  });

  it("says so, and does not come back by itself", () => {
    expect([live.phase, live.reason]).toEqual(["ended", "an operator cut this connection"]);
    net.now = 3_600_000;
    live.check();
    live.wake();
    live.setVisible(false);
    live.setVisible(true);
    live.follow({ board: "overview", range: 900_000 });
    expect(net.sockets).toHaveLength(1);
  });

  it("comes back when a person asks for it", () => {
    live.comeBack();
    expect(net.sockets).toHaveLength(2);
    net.socket.deliver(welcome());
    expect(net.sent("subscribe")).toHaveLength(1);
  });
});

describe("a service that was restarted", () => {
  it("is followed when the page says so, from the newest column held", () => {
    open();
    net.socket.end(1012);
    net.now = 300;
    live.check();
    net.socket.deliver({ ...welcome(), epoch: "another" });
    expect(net.sent("subscribe")).toEqual([]);
    live.resume();
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 2, board: "overview", after: at(0).t }]);
  });
});
