import { beforeEach, describe, expect, it } from "vitest";
import { at, EPOCH, FakeNet, subscribed, tick, welcome } from "../testing/service";
import { Dashboard } from "./dashboard.svelte";
import type { Span } from "../data/span";
import type { Identity } from "./identity";
import { HttpError } from "./problem";

const overview = { name: "overview", title: "Overview", panels: [{ title: "Load", queries: [{ query: "node_load1" }] }] };

let net: FakeNet;
let dashboard: Dashboard;
let answer: () => Promise<unknown>;
let frames: (() => void)[];
let who: () => Promise<Identity>;
/** How often the page was asked for anew. */
let again: number;
let left: number;
let told: (from: number, to: number) => Promise<unknown>;
let remembered: Span | null;

const viewer: Identity = { name: "alice", role: "viewer", may: ["view"], users: true };
const nobody: Identity = { name: "", role: null, may: [], users: true };

/** What the browser does when it next draws. */
const draw = (): void => frames.splice(0).forEach((frame) => frame());
const newest = (): number | undefined => dashboard.frame?.to;

beforeEach(() => {
  net = new FakeNet();
  frames = [];
  again = left = 0;
  who = () => Promise.resolve(viewer);
  answer = () => Promise.resolve({ boards: [overview] });
  told = () => Promise.resolve({ data: [] });
  dashboard = new Dashboard({
    liveUrl: "ws://host/live",
    open: net.open,
    openEvents: net.openEvents,
    answers: net.answers,
    boards: () => answer(),
    past: () => Promise.resolve({}),
    happened: (from, to) => told(from, to),
    cut: () => Promise.resolve(),
    who: () => who(),
    leave: () => Promise.resolve(void (left += 1)),
    again: () => void (again += 1),
    now: () => net.now,
    random: () => net.luck,
    points: () => 720,
    remember: (span) => void (remembered = span),
    paint: (paint, painted) =>
      frames.push(() => {
        paint();
        painted();
      }),
  });
});

/** Shown, subscribed and painted; the service's clock is EPOCH at local time 0. */
async function shown(): Promise<void> {
  await dashboard.show("overview");
  net.socket.deliver(welcome(EPOCH));
  net.socket.deliver(subscribed(1, -10, 0));
  draw();
}

function pass(ms: number): void {
  net.now += ms;
  dashboard.check();
}

/** Lets what was promised come about. */
const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

describe("whoever looks", () => {
  it("is known by the service's word", async () => {
    await shown();
    await settled();
    expect(dashboard.member.identity).toEqual(viewer);
    expect(again).toBe(0);
  });

  it("gets the page to log in where the boards are refused", async () => {
    answer = () => Promise.reject(new HttpError(401));
    await dashboard.show("overview");
    expect(again).toBe(1);
  });

  it("gets the page to log in when what it showed has ended", async () => {
    await shown();
    who = () => Promise.resolve(nobody);
    net.socket.end(4401);
    pass(1000);
    net.socket.end(1006);
    await settled();
    expect(again).toBe(1);
  });

  it("gets the page to log in when no connection can be opened any more", async () => {
    await shown();
    who = () => Promise.resolve(nobody);
    net.socket.end(1006);
    await settled();
    expect(again).toBe(0);
    pass(60_000);
    net.socket.end(1006);
    await settled();
    expect(again).toBe(1);
  });

  it("stays on the page while the network is down", async () => {
    await shown();
    who = () => Promise.reject(new TypeError("no network"));
    for (let tries = 0; tries < 3; tries += 1) {
      net.socket.end(1006);
      await settled();
      pass(60_000);
    }
    expect(again).toBe(0);
    expect(dashboard.member.identity).toEqual(viewer);
  });

  it("stays on the page where a connection fails and may still look", async () => {
    await shown();
    net.socket.end(1006);
    pass(1000);
    net.socket.end(1006);
    await settled();
    expect(again).toBe(0);
  });

  it("logs out and gets the page to log in", async () => {
    await shown();
    await dashboard.member.logOut();
    expect([left, again]).toEqual([1, 1]);
  });
});

describe("a board", () => {
  it("is drawn from the past it was sent", async () => {
    await shown();
    expect(dashboard.board?.title).toBe("Overview");
    expect(newest()).toBe(at(0).n);
    expect(dashboard.sign.kind).toBe("live");
    expect(dashboard.instance).toBe("web-1");
  });

  it("is drawn once, however many columns came before the browser drew", async () => {
    await shown();
    net.socket.deliver(tick(1));
    net.socket.deliver(tick(2));
    expect(frames).toHaveLength(1);
    draw();
    expect(newest()).toBe(at(2).n);
  });

  it("that is not there is named, with those that are", async () => {
    await dashboard.show("disks");
    expect(dashboard.problem).toEqual({ title: "There is no board named “disks”", detail: "There is: overview." });
  });

  it("that the service refuses says why", async () => {
    await dashboard.show("overview");
    net.socket.deliver(welcome());
    net.socket.deliver({ type: "error", request: 1, code: "bad_query", message: "unknown function: rat", position: 0, query: 0 });
    expect(dashboard.problem?.detail).toBe("unknown function: rat (query 1, character 1) [bad_query]");
  });
});

describe("a service that does not answer", () => {
  it("is named as the problem, and asked again by the clock", async () => {
    answer = () => Promise.reject(new TypeError("fetch failed"));
    await dashboard.show("overview");
    expect(dashboard.problem?.title).toBe("The service cannot be reached");
    expect(dashboard.sign).toEqual({ kind: "reconnecting", wait: 250 });
    answer = () => Promise.resolve({ boards: [overview] });
    pass(250);
    await Promise.resolve();
    await Promise.resolve();
    expect(dashboard.problem).toBeNull();
  });

  it.each([
    [new HttpError(503), "The service refused the list of boards"],
    [new SyntaxError("Unexpected token"), "The service sent something else than boards"],
  ])("well is told: %s", async (error, title) => {
    answer = () => Promise.reject(error);
    await dashboard.show("overview");
    expect(dashboard.problem?.title).toBe(title);
  });
});

describe("the sign", () => {
  it("tells age and latency by the service's clock", async () => {
    await shown();
    net.now = 1030;
    net.socket.deliver(tick(1));
    net.now = 1045;
    draw();
    expect(dashboard.latency).toBe(45);
    pass(500);
    expect(dashboard.sign).toEqual({ kind: "live", age: 545 });
  });

  it("says STALE as soon as the samples are too old, though beats come, and LIVE when they are fresh again", async () => {
    await shown();
    for (let i = 0; i < 4; i += 1) {
      pass(1000);
      net.socket.deliver({ type: "beat", time: EPOCH + net.now });
    }
    expect(dashboard.sign).toEqual({ kind: "stale", age: 4000 });
    expect(dashboard.stale).toBe(true);
    net.socket.deliver(subscribedTick(4));
    draw();
    expect(dashboard.sign.kind).toBe("live");
    expect(dashboard.stale).toBe(false);
  });

  it("counts down to the next try", async () => {
    await shown();
    net.socket.end(1006);
    expect(dashboard.sign).toEqual({ kind: "reconnecting", wait: 250 });
    expect(dashboard.reason).toBe("the connection was lost");
    pass(100);
    expect(dashboard.sign).toEqual({ kind: "reconnecting", wait: 150 });
  });
});

/** A catch-up whose newest column is at `seconds`. */
const subscribedTick = (seconds: number): object => ({ ...subscribed(1, 1, seconds), type: "columns" });

describe("pause", () => {
  it("holds the picture while the data goes on, and shows all of it after", async () => {
    await shown();
    dashboard.togglePause();
    draw();
    pass(1000);
    net.socket.deliver(tick(1));
    draw();
    expect(newest()).toBe(at(0).n);
    expect(dashboard.sign.kind).toBe("paused");
    dashboard.togglePause();
    draw();
    expect(newest()).toBe(at(1).n);
  });

  it("still acknowledges, so that the service does not park a page that is looked at", async () => {
    await shown();
    dashboard.togglePause();
    draw();
    for (let second = 1; second <= 6; second += 1) {
      pass(1000);
      net.socket.deliver(tick(second));
      draw();
    }
    expect(net.sent("ack").length).toBeGreaterThan(0);
  });

  it("can look at another range meanwhile", async () => {
    await shown();
    dashboard.togglePause();
    draw();
    net.socket.deliver(tick(1));
    dashboard.setRange(60_000);
    draw();
    expect(dashboard.frame?.times).toHaveLength(61);
    expect(newest()).toBe(at(0).n);
  });
});

describe("the range", () => {
  it("asks for more of the past only when it grows beyond what was asked", async () => {
    await shown();
    dashboard.setRange(60_000);
    dashboard.setRange(300_000);
    expect(net.sent("subscribe")).toHaveLength(1);
    dashboard.setRange(900_000);
    expect(net.sent("subscribe").at(-1)).toMatchObject({ range: 900_000 });
  });
});

describe("a hidden page", () => {
  it("says so to the service, and catches up when it is shown", async () => {
    await shown();
    dashboard.setVisible(false);
    expect(net.sent("visible")).toEqual([{ type: "visible", visible: false }]);
    for (let second = 1; second <= 60; second += 1) {
      net.now = second * 1000; // no timer: nothing but the beats
      net.socket.deliver({ type: "beat", time: EPOCH + net.now });
    }
    dashboard.setVisible(true);
    net.socket.deliver(subscribedTick(60));
    draw();
    expect(newest()).toBe(at(60).n);
    expect(dashboard.sign.kind).toBe("live");
  });
});

it("says why history is paused, to who comes and to who is here, until it is over", async () => {
  await shown();
  expect(dashboard.historyPaused).toBe("");
  net.socket.deliver({ type: "notice", code: "history", message: "m", details: { paused: "disk full" } });
  expect(dashboard.historyPaused).toBe("disk full");
  expect(dashboard.notice).toBe("");
  net.socket.deliver({ type: "notice", code: "history", message: "m", details: { paused: "" } });
  expect(dashboard.historyPaused).toBe("");
  const server = { name: "m", version: "1", instance: "i", configuration: "", history: "read-only file system" };
  net.socket.deliver({ ...(welcome(EPOCH) as object), server });
  expect(dashboard.historyPaused).toBe("read-only file system");
});

it("shows a notice until it is over", async () => {
  await shown();
  net.socket.deliver({ type: "notice", code: "slowed", message: "slower", details: { skipped: 4 } });
  expect(dashboard.notice).toBe("slower");
  net.socket.deliver({ type: "notice", code: "resumed", message: "ok", details: {} });
  expect(dashboard.notice).toBe("");
});

describe("a service that comes back from a restart", () => {
  const changed = { ...overview, panels: [{ title: "Memory", queries: [{ query: "m" }] }] };

  async function restart(): Promise<void> {
    net.socket.end(1012);
    pass(250);
    net.socket.deliver({ ...(welcome(EPOCH + net.now) as object), epoch: "another" });
    await new Promise((done) => setTimeout(done));
  }

  it("with the same boards is resumed, and nothing is drawn anew", async () => {
    await shown();
    const { board, frame } = dashboard;
    await restart();
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 2, board: "overview", after: at(0).t }]);
    expect([dashboard.board, dashboard.frame, dashboard.boards[0]]).toEqual([board, frame, board]);
    expect(dashboard.board).toBe(board);
  });

  it("with another board is followed anew", async () => {
    await shown();
    answer = () => Promise.resolve({ boards: [changed] });
    await restart();
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 2, board: "overview", range: 300_000 }]);
    expect(dashboard.board?.panels[0]?.title).toBe("Memory");
    expect(dashboard.frame).toBeNull();
  });

  it("without a name shows the first there is", async () => {
    answer = () => Promise.resolve({ boards: [{ ...overview, name: "disks" }, overview] });
    await dashboard.show("");
    expect(dashboard.board?.name).toBe("disks");
    expect(dashboard.problem).toBeNull();
  });

  it("without the board says so", async () => {
    await shown();
    answer = () => Promise.resolve({ boards: [{ ...overview, name: "disks" }] });
    await restart();
    expect(dashboard.problem?.title).toBe("There is no board named “overview”");
    expect(net.sent("subscribe")).toEqual([]);
  });

  it("and does not tell its boards is followed as before", async () => {
    await shown();
    answer = () => Promise.reject(new TypeError("fetch failed"));
    await restart();
    expect(net.sent("subscribe")).toHaveLength(1);
    expect(dashboard.problem).toBeNull();
  });
});

describe("a page that was cut", () => {
  it("says why, stays away, and comes back when it is told to", async () => {
    await shown();
    net.socket.end(4403);
    expect(dashboard.sign).toEqual({ kind: "ended" });
    expect(dashboard.problem?.detail).toContain("an operator cut this connection");
    pass(3_600_000);
    dashboard.wake();
    expect(net.sockets).toHaveLength(1);
    dashboard.retry();
    expect(dashboard.problem).toBeNull();
    net.socket.deliver(welcome(EPOCH + net.now));
    expect(net.sent("subscribe")).toHaveLength(1);
  });
});

it("shows who watches while that is looked at", async () => {
  await shown();
  dashboard.watchers.want(true);
  const columns = ["session", "address", "round_trip", "new"];
  net.socket.deliver({ type: "table", table: "viewers", feed: 5, n: at(1).n, columns, rows: [["s", "::1", null, 1]], total: 7 });
  expect(dashboard.watchers.now).toMatchObject({ total: 7, time: at(1).t });
  expect(dashboard.watchers.now?.rows[0]).toMatchObject({ session: "s", address: "::1", roundTrip: null, agent: "", lag: null });
  expect(dashboard.session).toBe("s");
  const viewers = dashboard.watchers.now;
  dashboard.watchers.want(false);
  expect(dashboard.watchers.now).toBe(viewers);
});

describe("a service that takes another configuration", () => {
  const changed = { ...overview, panels: [{ title: "Memory", queries: [{ query: "m" }] }] };
  const fault = { place: "config.yaml:3:9", path: "log.level", text: "found loud" };
  const state = { problems: [fault], count: 1, waiting: ["server.listen"] };

  async function told(answered: object): Promise<void> {
    answer = () => Promise.resolve(answered);
    net.socket.deliver({ type: "notice", code: "configuration", message: "m", details: { version: "b" } });
    pass(1000);
    await new Promise((done) => setTimeout(done));
  }

  it("has a changed board drawn anew, and the rest left as it is", async () => {
    await shown();
    await told({ boards: [changed], version: "b" });
    expect(net.sent("subscribe").at(-1)).toMatchObject({ board: "overview", range: 300_000 });
    expect(dashboard.board?.panels[0]?.title).toBe("Memory");
  });

  it("that was refused says why, and goes on", async () => {
    await shown();
    const { board, frame } = dashboard;
    await told({ boards: [overview], configuration: state, version: "b" });
    expect(dashboard.configuration).toEqual(state);
    expect([dashboard.board, dashboard.frame]).toEqual([board, frame]);
    expect(net.sent("subscribe")).toHaveLength(1);
    await told({ boards: [overview], version: "c" });
    expect(dashboard.configuration.problems).toEqual([]);
  });

  it("is asked within a second, and again where it does not answer", async () => {
    await shown();
    net.luck = 0.5;
    answer = () => Promise.reject(new TypeError("fetch failed"));
    net.socket.deliver({ type: "notice", code: "configuration", message: "m", details: { version: "b" } });
    pass(499);
    answer = () => Promise.resolve({ boards: [changed], version: "b" });
    await new Promise((done) => setTimeout(done));
    expect(dashboard.board?.panels[0]?.title).toBe("Load");
    answer = () => Promise.reject(new TypeError("fetch failed"));
    pass(1);
    await new Promise((done) => setTimeout(done));
    answer = () => Promise.resolve({ boards: [changed], version: "b" });
    pass(15_000);
    await new Promise((done) => setTimeout(done));
    expect(dashboard.board?.panels[0]?.title).toBe("Memory");
  });

  it("while this page was away is asked before anything is followed", async () => {
    await shown();
    net.socket.end(1006);
    pass(15_000);
    answer = () => Promise.resolve({ boards: [changed], version: "b" });
    const server = { name: "m", version: "1", instance: "i", configuration: "b" };
    net.socket.deliver({ ...welcome(EPOCH + net.now), server });
    await new Promise((done) => setTimeout(done));
    expect(net.sent("subscribe")).toEqual([{ type: "subscribe", request: 2, board: "overview", range: 300_000 }]);
  });
});

it("asks by itself again where the service could not answer now", async () => {
  await dashboard.show("overview");
  net.socket.deliver(welcome(EPOCH));
  net.socket.deliver({ type: "error", request: 1, code: "unavailable", message: "too many long queries at once" });
  expect(dashboard.problem?.detail).toContain("too many long queries");
  pass(1500);
  net.socket.deliver({ type: "beat", time: EPOCH + net.now });
  expect(net.sent("subscribe")).toHaveLength(1);
  pass(1000);
  expect(net.sent("subscribe")).toHaveLength(2);
  pass(1000);
  expect(net.sent("subscribe")).toHaveLength(2);
  net.socket.deliver(subscribed(2, -10, 0));
  draw();
  expect([dashboard.problem, newest()]).toEqual([null, at(0).n]);
});

describe("what happened", () => {
  let asked: [number, number][];

  beforeEach(() => {
    asked = [];
    told = (from, to) => {
      asked.push([from, to]);
      return Promise.resolve({ data: [{ time: EPOCH / 1000 - 60, end: EPOCH / 1000 - 30, kind: "gap", text: "nothing was measured" }] });
    };
  });

  it("is asked of the part of time that is on the screen", async () => {
    await shown();
    await settled();
    expect(asked).toEqual([[EPOCH - 300_000, EPOCH + 300_000]]);
    expect(dashboard.events.all).toEqual([{ time: EPOCH - 60_000, end: EPOCH - 30_000, kind: "gap", text: "nothing was measured" }]);
  });

  it("is not asked again with each column, but where columns come late or another part is shown", async () => {
    await shown();
    await settled();
    net.socket.deliver(tick(1));
    draw();
    await settled();
    expect(asked).toHaveLength(1);
    net.socket.deliver({ ...subscribed(1, 2, 60), type: "columns" });
    draw();
    await settled();
    expect(asked.at(-1)).toEqual([at(60).t - 300_000, at(60).t + 300_000]);
    dashboard.setRange(900_000);
    net.socket.deliver(subscribed(2, -800, 60));
    draw();
    await settled();
    expect(asked.at(-1)).toEqual([at(60).t - 900_000, at(60).t + 300_000]);
    expect(asked).toHaveLength(3);
  });

  it("stays as it was known where the service does not say", async () => {
    await shown();
    await settled();
    told = () => Promise.reject(new TypeError("no network"));
    net.socket.deliver({ ...subscribed(1, 2, 60), type: "columns" });
    draw();
    await settled();
    expect(dashboard.events.all).toHaveLength(1);
  });
});

describe("months of past", () => {
  const HOUR = 3_600_000;
  const DAY = 24 * HOUR;
  const limits = { ack_bytes: 32_768, ack_after: 5000, credit: 12, range: 400 * DAY };
  const hours = (request: number, from: number, to: number, extra: object = {}): object => {
    const first = Math.floor(EPOCH / HOUR);
    const t = Array.from({ length: to - from + 1 }, (_, i) => (first + from + i) * HOUR);
    return subscribed(request, 0, 0, { feed: 9, n: first + to, step: HOUR, columns: { t, v: [t.map(() => 1)] }, ...extra });
  };

  async function far(): Promise<void> {
    await dashboard.show("overview");
    net.socket.deliver({ ...welcome(EPOCH), limits });
    net.socket.deliver(subscribed(1, -10, 0));
    draw();
    dashboard.setRange(30 * DAY);
  }

  it("come in steps that make a picture, and go on with a column an hour", async () => {
    await far();
    expect(net.sent("subscribe").at(-1)).toEqual({ type: "subscribe", request: 2, board: "overview", range: 30 * DAY, step: HOUR });
    expect([dashboard.shown.loading, dashboard.frame?.window.step]).toEqual([true, 1000]);
    net.socket.deliver(hours(2, -719, 0));
    draw();
    expect([dashboard.shown.loading, dashboard.frame?.window.step, dashboard.frame?.rows(0).length]).toEqual([false, HOUR, 1]);
    expect(net.sent("unsubscribe")).toEqual([{ type: "unsubscribe", feed: 3 }]);
    const n = Math.floor(EPOCH / HOUR) + 1;
    net.socket.deliver({ type: "tick", feed: 9, n, t: n * HOUR, v: [2] });
    draw();
    expect(newest()).toBe(n);
  });

  it("are not stale for as long as a step takes, and have no latency", async () => {
    await far();
    net.socket.deliver(hours(2, -719, 0));
    draw();
    net.now += 1000;
    net.socket.deliver({ type: "beat", time: EPOCH + net.now });
    dashboard.check();
    expect([dashboard.sign.kind, dashboard.stale, dashboard.latency]).toEqual(["live", false, null]);
  });

  it("end where a person says, and nothing follows", async () => {
    await far();
    dashboard.look({ range: DAY, until: EPOCH - 7 * DAY });
    const asked = { type: "subscribe", request: 3, board: "overview", range: DAY, step: 120_000, until: EPOCH - 7 * DAY };
    expect(net.sent("subscribe").at(-1)).toEqual(asked);
    expect(net.sent("unsubscribe")).toHaveLength(1);
    const t = [EPOCH - 7 * DAY];
    net.socket.deliver(subscribed(3, 0, 0, { feed: 11, n: t[0]! / 120_000, step: 120_000, columns: { t, v: [[5]] } }));
    draw();
    expect([dashboard.sign.kind, dashboard.frame?.to, remembered]).toEqual(["past", t[0]! / 120_000, { range: DAY, until: t[0] }]);
    dashboard.look({ range: 300_000, until: null });
    expect(net.sent("subscribe").at(-1)).toEqual({ type: "subscribe", request: 4, board: "overview", range: 300_000 });
    net.socket.deliver(subscribed(4, -10, 0));
    draw();
    expect([dashboard.sign.kind, newest()]).toEqual(["live", at(0).n]);
    expect(net.sent("unsubscribe")).toHaveLength(1);
  });

  it("that nothing is known of are empty, and not what was there before", async () => {
    await far();
    net.socket.deliver(hours(2, 1, 0, { n: 0 }));
    expect([dashboard.frame?.empty, dashboard.shown.loading]).toEqual([true, false]);
  });

  it("are gone through by half of what is shown", async () => {
    await far();
    dashboard.move(-1);
    expect(dashboard.shown.until).toBe(EPOCH - 15 * DAY);
    dashboard.move(1);
    expect(dashboard.shown.until).toBeNull();
  });

  it("are asked for in longer steps where they are too much", async () => {
    await far();
    net.socket.deliver({ type: "error", request: 2, code: "too_large", message: "m", position: null, query: null });
    expect(net.sent("subscribe").at(-1)).toMatchObject({ request: 3, step: 2 * HOUR });
    expect(dashboard.problem).toBeNull();
    for (const request of [3, 4, 5, 6]) {
      net.socket.deliver({ type: "error", request, code: "too_large", message: "m", position: null, query: null });
    }
    expect(dashboard.problem?.detail).toContain("too_large");
  });
});
