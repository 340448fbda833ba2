/**
 * The messages of the live protocol, version 1 (docs/protocol.md), as the browser reads and writes them.
 * Times and steps are integers in milliseconds; `null` is "no value".
 */
import { boolean, cell, integer, list, nullable, number, object, otherwise, text, textTable, WireError } from "./check";
import type { Cell, Check, Json } from "./check";

/** `query` is the index in the subscription's list of queries. */
export interface Series {
  query: number;
  labels: Readonly<Record<string, string>>;
}

/** `v` has one row per series, each as long as `t`. */
export interface Columns {
  t: number[];
  v: (number | null)[][];
}

export interface Limits {
  ack_bytes: number;
  ack_after: number;
  credit: number;
  range: number;
}

export interface Welcome {
  type: "welcome";
  /** `history` is why it is paused; empty while all is well. */
  server: { name: string; version: string; instance: string; configuration: string; history: string };
  session: string;
  epoch: string;
  time: number;
  step: number;
  ping: { interval: number; timeout: number; sweep: number };
  limits: Limits;
}

interface Past {
  feed: number;
  n: number;
  series: Series[];
  columns: Columns;
  complete: boolean;
  oldest: number | null;
}

export interface Subscribed extends Past {
  type: "subscribed";
  request: number;
  step: number;
}

export interface CatchUp extends Past {
  type: "columns";
}

export interface Tick {
  type: "tick";
  feed: number;
  n: number;
  t: number;
  v: (number | null)[];
}

export interface SeriesChange {
  type: "series";
  feed: number;
  n: number;
  series: Series[];
}

/** How a table is wanted. */
export interface View {
  /** The column by which it is sorted. */
  sort: string;
  descending: boolean;
  filter: string;
  limit: number;
}

/** Each row has one cell per column. `total` counts the rows that were left out, too. */
export interface Table {
  type: "table";
  table: string;
  feed: number;
  n: number;
  columns: string[];
  rows: Cell[][];
  total: number;
  /** Figures of the table itself. */
  about?: Readonly<Record<string, number>>;
  /** How it was asked for, where that can be chosen. */
  view?: View;
}

export interface Beat {
  type: "beat";
  time: number;
}

export interface Notice {
  type: "notice";
  code: string;
  message: string;
  details: Json;
}

export interface Refusal {
  type: "error";
  request: number | null;
  code: string;
  message: string;
  position: number | null;
  query: number | null;
}

export type ServerMessage = Welcome | Subscribed | Tick | SeriesChange | CatchUp | Table | Beat | Notice | Refusal;

export interface Subscribe {
  type: "subscribe";
  request: number;
  queries?: string[];
  board?: string;
  table?: string;
  sort?: string;
  descending?: boolean;
  filter?: string;
  limit?: number;
  variables?: Readonly<Record<string, string>>;
  range?: number;
  step?: number;
  after?: number | null;
  until?: number;
}

export type ClientMessage =
  | Subscribe
  | { type: "unsubscribe"; feed: number }
  | { type: "ack"; feed: number; n: number; lag?: number }
  | { type: "visible"; visible: boolean };

const row = list(nullable(number));

const series: Check<Series[]> = list((value, place) => {
  const found = object(value, place);
  return { query: integer(found.query, `${place}.query`), labels: textTable(found.labels, `${place}.labels`) };
});

const past = (m: Json): Past => {
  const columns = object(m.columns, "columns");
  const found = {
    feed: integer(m.feed, "feed"),
    n: integer(m.n, "n"),
    series: series(m.series, "series"),
    columns: { t: list(integer)(columns.t, "columns.t"), v: list(row)(columns.v, "columns.v") },
    complete: boolean(m.complete, "complete"),
    oldest: nullable(integer)(m.oldest, "oldest"),
  };
  const { t, v } = found.columns;
  if (v.length !== found.series.length || v.some((values) => values.length !== t.length)) {
    throw new WireError("columns.v: one row per series, each as long as columns.t, expected");
  }
  return found;
};

const view = (value: unknown): View => {
  const found = object(value, "view");
  return {
    sort: text(found.sort, "view.sort"),
    descending: boolean(found.descending, "view.descending"),
    filter: text(found.filter, "view.filter"),
    limit: integer(found.limit, "view.limit"),
  };
};

const figures = (value: unknown): Record<string, number> =>
  Object.fromEntries(Object.entries(object(value, "about")).map(([name, found]) => [name, number(found, `about.${name}`)]));

const table = (m: Json): Table => {
  const found: Table = {
    type: "table",
    table: text(m.table, "table"),
    feed: integer(m.feed, "feed"),
    n: integer(m.n, "n"),
    columns: list(text)(m.columns, "columns"),
    rows: list(list(cell))(m.rows, "rows"),
    total: integer(m.total, "total"),
    ...(m.about === undefined ? {} : { about: figures(m.about) }),
    ...(m.view === undefined ? {} : { view: view(m.view) }),
  };
  if (found.rows.some((cells) => cells.length !== found.columns.length)) {
    throw new WireError("rows: one cell per column expected");
  }
  return found;
};

export const limits: Check<Limits> = (value, place) => {
  const found = object(value, place);
  return {
    ack_bytes: integer(found.ack_bytes, `${place}.ack_bytes`),
    ack_after: integer(found.ack_after, `${place}.ack_after`),
    credit: integer(found.credit, `${place}.credit`),
    range: integer(found.range, `${place}.range`),
  };
};

const readers: Record<ServerMessage["type"], (m: Json) => ServerMessage> = {
  welcome: (m) => {
    const server = object(m.server, "server");
    const ping = object(m.ping, "ping");
    return {
      type: "welcome",
      server: {
        name: text(server.name, "server.name"),
        version: text(server.version, "server.version"),
        instance: text(server.instance, "server.instance"),
        configuration: otherwise(text, "")(server.configuration, "server.configuration"),
        history: otherwise(text, "")(server.history, "server.history"),
      },
      session: text(m.session, "session"),
      epoch: text(m.epoch, "epoch"),
      time: integer(m.time, "time"),
      step: integer(m.step, "step"),
      ping: {
        interval: integer(ping.interval, "ping.interval"),
        timeout: integer(ping.timeout, "ping.timeout"),
        sweep: integer(ping.sweep, "ping.sweep"),
      },
      limits: limits(m.limits, "limits"),
    };
  },
  subscribed: (m) => ({
    type: "subscribed",
    ...past(m),
    request: integer(m.request, "request"),
    step: integer(m.step, "step"),
  }),
  columns: (m) => ({ type: "columns", ...past(m) }),
  table,
  tick: (m) => ({
    type: "tick",
    feed: integer(m.feed, "feed"),
    n: integer(m.n, "n"),
    t: integer(m.t, "t"),
    v: row(m.v, "v"),
  }),
  series: (m) => ({
    type: "series",
    feed: integer(m.feed, "feed"),
    n: integer(m.n, "n"),
    series: series(m.series, "series"),
  }),
  beat: (m) => ({ type: "beat", time: integer(m.time, "time") }),
  notice: (m) => ({
    type: "notice",
    code: text(m.code, "code"),
    message: text(m.message, "message"),
    details: m.details === undefined ? {} : object(m.details, "details"),
  }),
  error: (m) => ({
    type: "error",
    request: nullable(integer)(m.request, "request"),
    code: text(m.code, "code"),
    message: text(m.message, "message"),
    position: nullable(integer)(m.position, "position"),
    query: nullable(integer)(m.query, "query"),
  }),
};

/** Whether a notice says what holds in place of a part of the greeting. */
export const amends = ({ code }: Notice): boolean => code === "limits" || code === "history";

/** The greeting as it holds after such a notice. Raises `WireError`. */
export function amended(welcome: Welcome, { code, details }: Notice): Welcome {
  if (code === "limits") return { ...welcome, limits: limits(details.limits, "limits") };
  return { ...welcome, server: { ...welcome.server, history: text(details.paused, "paused") } };
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    throw new WireError(`not JSON: ${message.slice(0, 80)}`);
  }
}

/** One message of the service; unknown fields are left out. Raises `WireError`. */
export function decode(message: string): ServerMessage {
  const found = object(parse(message), "message");
  const type = text(found.type, "type");
  if (!Object.hasOwn(readers, type)) throw new WireError(`type: unknown message ${JSON.stringify(type)}`);
  return readers[type as ServerMessage["type"]](found);
}

export const encode = (message: ClientMessage): string => JSON.stringify(message);
