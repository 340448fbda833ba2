import { beforeEach, describe, expect, it } from "vitest";
import { at, columns, EPOCH, FakeNet, load, STEP, subscribed, tick, welcome } from "../testing/service";
import type { Sink } from "./feed";
import { Live } from "./live";
import type { Columns, Series } from "./messages";

class Kept implements Sink {
  times: number[] = [];
  series: readonly Series[] = [];
  absorb(series: readonly Series[], { t }: Columns): void {
    this.series = series;
    this.times.push(...t);
  }
  append(series: readonly Series[], t: number): void {
    this.series = series;
    this.times.push(t);
  }
  clear(): void {
    this.times = [];
  }
  get newest(): number | null {
    return this.times.at(-1) ?? null;
  }
  get seconds(): number[] {
    return this.times.map((t) => (t - EPOCH) / STEP);
  }
}

let net: FakeNet;
let kept: Kept;
let live: Live;
let restarts: number;
let news: number;
let known: string;

beforeEach(() => {
  net = new FakeNet();
  kept = new Kept();
  restarts = news = 0;
  known = "";
  live = new Live({
    url: "ws://host/live",
    open: net.open,
    openEvents: net.openEvents,
    answers: net.answers,
    now: () => net.now,
    random: () => net.luck,
    sink: kept,
    changed: () => undefined,
    restarted: () => (restarts += 1),
    knows: (configuration) => configuration === known,
    news: () => (news += 1),
  });
});

/** Connected, with columns -2 to 0; the answer took 20 ms, as did the welcome. */
function following(): void {
  live.follow({ board: "overview", range: 300_000 });
  net.now = 20;
  net.socket.deliver(welcome());
  net.now = 40;
  net.socket.deliver(subscribed(1, -2, 0));
}

/** Lets time pass in checks of 250 ms. */
function wait(ms: number): void {
  for (const end = net.now + ms; net.now < end; ) {
    net.now = Math.min(end, net.now + 250);
    live.check();
  }
}

describe("a new connection", () => {
  it("offers the protocol's name and subscribes once it is welcomed", () => {
    live.follow({ board: "overview", range: 300_000 });
    expect(net.socket).toMatchObject({ url: "ws://host/live", protocol: "monitor.v1", sent: [] });
    net.socket.deliver(welcome());
    expect(net.socket.sent).toEqual([{ type: "subscribe", request: 1, board: "overview", range: 300_000 }]);
  });

  it("is given up when nothing answers for ten seconds", () => {
    live.follow({ board: "overview", range: 300_000 });
    wait(10_000);
    expect(live.phase).toBe("connecting");
    wait(250);
    expect(live.phase).toBe("waiting");
    expect(live.reason).toBe("the service did not answer");
  });

  it("keeps the past and then the ticks", () => {
    following();
    net.socket.deliver(tick(1));
    net.socket.deliver(tick(2));
    expect(kept.seconds).toEqual([-2, -1, 0, 1, 2]);
  });

  it("does not take a tick of another feed, nor an answer to an older request", () => {
    following();
    net.socket.deliver({ ...tick(1), feed: 4 });
    net.socket.deliver(subscribed(0, 1, 5));
    expect(kept.seconds).toEqual([-2, -1, 0]);
  });
});

describe("a hole in the numbers", () => {
  it("is asked for, and the union has every column once", () => {
    following();
    net.socket.deliver(tick(1));
    net.socket.deliver(tick(4));
    expect(net.sent("subscribe").at(-1)).toEqual({ type: "subscribe", request: 2, board: "overview", after: at(1).t });
    net.socket.deliver(tick(5)); // on its way before the answer, and in it
    net.socket.deliver(subscribed(2, 2, 5));
    net.socket.deliver(tick(6));
    expect(kept.seconds).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6]);
  });

  it("is not left for a repeated tick", () => {
    following();
    net.socket.deliver(tick(0));
    expect(net.sent("subscribe")).toHaveLength(1);
    expect(kept.seconds).toEqual([-2, -1, 0]);
  });

  it("is seen in a tick of another width than the series", () => {
    following();
    net.socket.deliver(tick(1, [1, 2]));
    expect(net.sent("subscribe")).toHaveLength(2);
  });

  it("starts everything anew when the service's clock was set back", () => {
    following();
    net.socket.deliver(tick(-3600));
    expect(live.phase).toBe("waiting");
    expect(kept.times).toEqual([]);
  });

  it("is filled by a catch-up, after which ticks follow", () => {
    following();
    net.socket.deliver({ type: "columns", feed: 3, n: at(7).n, series: load, columns: columns(1, 7), complete: true, oldest: null });
    net.socket.deliver(tick(8));
    expect(kept.seconds).toEqual([-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(net.sent("subscribe")).toHaveLength(1);
  });
});

describe("a change of the series", () => {
  const two: Series[] = [...load, { query: 1, labels: {} }];

  it("holds from the tick it names on", () => {
    following();
    net.socket.deliver({ type: "series", feed: 3, n: at(2).n, series: two });
    net.socket.deliver(tick(1));
    expect(kept.series).toEqual(load);
    net.socket.deliver(tick(2, [1, 2]));
    expect(kept.series).toEqual(two);
  });

  it("is not undone by a catch-up from before it", () => {
    following();
    net.socket.deliver({ type: "series", feed: 3, n: at(3).n, series: two });
    net.socket.deliver({ type: "columns", feed: 3, n: at(2).n, series: load, columns: columns(1, 2), complete: true, oldest: null });
    net.socket.deliver(tick(3, [1, 2]));
    expect(kept.seconds.at(-1)).toBe(3);
    expect(kept.series).toEqual(two);
  });
});

describe("silence", () => {
  it("of three steps and two round trips is death", () => {
    following();
    wait(3000 + 2 * 20);
    expect(live.phase).toBe("open");
    wait(1);
    expect(live.phase).toBe("waiting");
    expect(net.socket.closed).toBe(true);
    expect(live.reason).toBe("nothing was heard from the service");
  });

  it("is broken by a beat", () => {
    following();
    for (let i = 0; i < 10; i += 1) {
      wait(2000);
      net.socket.deliver({ type: "beat", time: EPOCH + net.now });
    }
    expect(live.phase).toBe("open");
  });

  it("is not judged by the steps while a long answer is on its way", () => {
    live.follow({ board: "overview", range: 300_000 });
    net.socket.deliver(welcome());
    wait(9000);
    expect(live.phase).toBe("open");
  });

  it("of a parked page is no death when the page is shown: its answer is waited for", () => {
    following();
    live.setVisible(false);
    net.now += 10_000;
    live.setVisible(true);
    expect(live.phase).toBe("open");
    wait(3500);
    expect(live.phase).not.toBe("open");
  });

  it("is judged at once when the page wakes, and the service is called at once", () => {
    following();
    net.now += 60_000; // timers of a frozen page do not run
    live.wake();
    expect(net.sockets).toHaveLength(2);
    expect(live.phase).toBe("connecting");
  });
});

describe("coming back", () => {
  it("waits a random time, then resumes after the last column held", () => {
    following();
    net.luck = 0.5;
    net.socket.end(1006);
    expect(live.retryAt - net.now).toBe(125);
    wait(100);
    expect(net.sockets).toHaveLength(1);
    wait(150);
    net.socket.deliver(welcome(EPOCH + net.now));
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 2, board: "overview", after: at(0).t }]);
    expect(live.reason).toBe("the connection was lost");
  });

  it("asks for the range where the last column is older than it", () => {
    following();
    net.socket.end(1006);
    net.now += 400_000;
    live.check();
    net.socket.deliver(welcome(EPOCH + net.now));
    expect(net.sent("subscribe")[0]).toMatchObject({ range: 300_000 });
  });

  it("is spread over the time that a restarting service asks for", () => {
    following();
    net.luck = 0.5;
    net.socket.deliver({ type: "notice", code: "restarting", message: "m", details: { retry_in: 8000 } });
    net.socket.end(1012);
    expect(live.retryAt - net.now).toBe(4000);
  });

  it("is at once when the network is back", () => {
    following();
    net.socket.end(1006);
    live.wake();
    expect(net.sockets).toHaveLength(2);
  });

  it("is put off while the page is hidden", () => {
    following();
    live.setVisible(false);
    net.socket.end(1006);
    wait(60_000);
    expect(net.sockets).toHaveLength(1);
    live.setVisible(true);
    expect(net.sockets).toHaveLength(2);
  });

  it("happens too when the service says what is not of the protocol", () => {
    following();
    net.socket.deliver("hello");
    expect(live.phase).toBe("waiting");
    expect(live.reason).toContain("not JSON");
  });

  it("hears nothing more from the connection that was given up", () => {
    following();
    const old = net.socket;
    net.socket.end(1006);
    old.deliver(tick(1));
    expect(kept.seconds).toEqual([-2, -1, 0]);
  });
});

describe("acknowledgements", () => {
  const acks = (): unknown[] => net.sent("ack");

  it("go out every five seconds while columns are painted", () => {
    following();
    live.painted(live.n, 42);
    for (let second = 1; second <= 5; second += 1) {
      wait(1000);
      net.socket.deliver(tick(second));
      live.painted(live.n, 42.4);
    }
    expect(acks()).toEqual([{ type: "ack", feed: 3, n: at(4).n, lag: 42 }]);
  });

  it("go out at once after 32 KiB", () => {
    following();
    net.socket.deliver({ ...tick(1), padding: "x".repeat(32_768) });
    live.painted(live.n, 10);
    expect(acks()).toHaveLength(1);
  });

  it("of a new connection wait for its own first paint", () => {
    following();
    live.painted(live.n, 10);
    net.socket.end(1006);
    live.wake();
    net.socket.deliver(welcome());
    net.socket.deliver({ ...subscribed(2, 1, 2), padding: "x".repeat(40_000) });
    live.check();
    expect(acks()).toEqual([]);
    live.painted(live.n, 10);
    expect(acks()).toHaveLength(1);
  });

  it("name no column that is not painted", () => {
    following();
    net.socket.deliver(tick(1));
    live.painted(at(0).n, 10);
    wait(250);
    net.socket.deliver({ ...tick(2), padding: "x".repeat(40_000) });
    live.check();
    expect(acks()).toEqual([{ type: "ack", feed: 3, n: at(0).n, lag: 10 }]);
  });

  it("go out once more as the page is hidden, and not from a hidden page", () => {
    following();
    live.painted(live.n, 10);
    live.setVisible(false);
    expect(net.socket.sent.slice(-2).map(({ type }) => type)).toEqual(["ack", "visible"]);
    net.socket.deliver({ ...tick(1), padding: "x".repeat(40_000) });
    live.painted(live.n, 10);
    expect(acks()).toHaveLength(1);
    expect(net.sent("visible")).toEqual([{ type: "visible", visible: false }]);
  });
});

describe("another wish", () => {
  it("asks for more of the past on the same connection, without leaving the feed", () => {
    following();
    live.follow({ board: "overview", range: 900_000 });
    expect(net.sent("subscribe").at(-1)).toEqual({ type: "subscribe", request: 2, board: "overview", range: 900_000 });
    net.socket.deliver(subscribed(2, -900, 1));
    expect(net.sent("unsubscribe")).toEqual([]);
  });

  it("leaves the feed of the board before", () => {
    following();
    live.follow({ board: "disks", range: 300_000 });
    net.socket.deliver(subscribed(2, 0, 1, { feed: 4 }));
    expect(net.sent("unsubscribe")).toEqual([{ type: "unsubscribe", feed: 3 }]);
  });

  it("that is refused is told", () => {
    live.follow({ board: "nowhere", range: 300_000 });
    net.socket.deliver(welcome());
    net.socket.deliver({ type: "error", request: 1, code: "unknown_board", message: "no board nowhere", position: null, query: null });
    expect(live.refusal?.code).toBe("unknown_board");
  });
});

describe("a service whose configuration changes", () => {
  const notice = (code: string, details: object): object => ({ type: "notice", code, message: "m", details });
  const limits = { ack_bytes: 300, ack_after: 1000, credit: 3, range: 900_000 };

  it("has other limits, which are kept to from then on", () => {
    following();
    net.socket.deliver(notice("limits", { limits }));
    expect(live.welcome?.limits).toEqual(limits);
    live.painted(at(0).n, 10);
    wait(1000);
    expect(net.sent("ack")).toHaveLength(1);
    expect(live.notice).toBeNull();
  });

  it("and says nothing sensible of its limits is not believed", () => {
    following();
    net.socket.deliver(notice("limits", {}));
    expect(live.reason).toContain("limits");
  });

  it("tells so, and is followed on", () => {
    following();
    net.socket.deliver(notice("configuration", { version: "b" }));
    expect(news).toBe(1);
    net.socket.deliver(tick(1));
    expect(kept.seconds).toEqual([-2, -1, 0, 1]);
    expect(live.asking).toBe(false);
  });

  it("while an answer is due has it let go, as it may be of a board that is not known yet", () => {
    live.follow({ board: "overview", range: 300_000 });
    net.socket.deliver(welcome());
    net.socket.deliver(notice("configuration", { version: "b" }));
    net.socket.deliver(subscribed(1, -2, 0));
    expect(kept.seconds).toEqual([]);
    expect(live.asking).toBe(true);
    live.resume();
    net.socket.deliver(subscribed(3, -2, 0));
    expect(kept.seconds).toEqual([-2, -1, 0]);
  });

  it("between two connections has its boards asked for before any is followed", () => {
    known = "a";
    live.follow({ board: "overview", range: 300_000 });
    net.socket.deliver({ ...welcome(), server: { name: "m", version: "1", instance: "i", configuration: "b" } });
    expect(restarts).toBe(1);
    expect(net.sent("subscribe")).toEqual([]);
  });
});
