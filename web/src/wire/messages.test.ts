import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { WireError } from "./check";
import { decode, encode, type ClientMessage } from "./messages";

const files = import.meta.glob<string>("../../../tests/wire/*.json", { query: "?raw", import: "default", eager: true });
const golden = Object.fromEntries(
  Object.entries(files).map(([path, text]) => [path.replace(/.*\/(\w+)\.json$/, "$1"), text]),
);

const CLIENT: Record<string, ClientMessage> = {
  ack: { type: "ack", feed: 3, n: 1764000001, lag: 42 },
  subscribe: {
    type: "subscribe",
    request: 1,
    queries: ["node_load1"],
    variables: {},
    range: 300_000,
    step: 1000,
    after: null,
  },
  subscribe_board: { type: "subscribe", request: 2, board: "overview", range: 300_000 },
  subscribe_until: {
    type: "subscribe",
    request: 3,
    board: "overview",
    range: 2_592_000_000,
    step: 3_600_000,
    until: 1_764_000_000_000,
  },
  subscribe_table: { type: "subscribe", request: 0, table: "viewers" },
  subscribe_processes: {
    type: "subscribe",
    request: 0,
    table: "processes",
    sort: "memory",
    descending: true,
    filter: "nginx",
    limit: 100,
  },
  unsubscribe: { type: "unsubscribe", feed: 3 },
  visible: { type: "visible", visible: false },
};
const SERVER = ["welcome", "subscribed", "tick", "series", "columns", "table", "table_processes", "beat", "error"].concat(
  ["notice", "notice_configuration", "notice_history", "notice_limits"],
);

describe("the golden messages", () => {
  it("are all known to this page", () => {
    expect(Object.keys(golden).sort()).toEqual([...Object.keys(CLIENT), ...SERVER].sort());
  });

  it.each(SERVER)("of the service are read whole: %s", (name) => {
    const whole = JSON.parse(golden[name] ?? "") as object;
    // Limits that the page has no use for are left out.
    expect(whole).toMatchObject(decode(golden[name] ?? ""));
    expect(Object.keys(decode(golden[name] ?? "")).sort()).toEqual(Object.keys(whole).sort());
  });

  it.each(Object.keys(CLIENT))("of the browser are written alike: %s", (name) => {
    expect(JSON.parse(encode(CLIENT[name] as ClientMessage))).toEqual(JSON.parse(golden[name] ?? ""));
  });
});

describe("a message that is not of the protocol", () => {
  it.each([
    ["not JSON", "{"],
    ["not an object", "[]"],
    ["of an unknown type", '{"type":"tock"}'],
    ["of a type that every object has", '{"type":"constructor"}'],
    ["with a field of a wrong type", '{"type":"beat","time":"now"}'],
    ["with a row of another width than the columns", '{"type":"table","table":"t","feed":1,"n":1,"columns":["a"],"rows":[[]],"total":1}'],
    ["with a cell that is no cell", '{"type":"table","table":"t","feed":1,"n":1,"columns":["a"],"rows":[[[]]],"total":1}'],
    ["with rows of unequal length", (golden.subscribed ?? "").replace(/null\s*\]/, "null, 1]")],
  ])("is refused: %s", (_, text) => {
    expect(() => decode(text)).toThrow(WireError);
  });

  it("raises nothing but a WireError, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.object().map((o) => JSON.stringify({ ...o, type: "tick" }))), (text) => {
        try {
          decode(text);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it("is told with its place and what was expected", () => {
    expect(() => decode('{"type":"beat","time":null}')).toThrow("time: an integer expected, not null");
  });
});
