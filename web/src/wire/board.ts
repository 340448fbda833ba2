/**
 * A board, as `GET api/boards` answers it: {"boards": [Board, ...]}. Keys are snake_case; "= x" is the default
 * where a key is left out; what has no default is required.
 *
 *   Board    name (slug), title, headline [Headline] = [], panels [Panel] = []
 *   Query    query (PromQL), legend = "" (template, {{label}}; "" shows every label), role = "value"
 *            role "mirror" is drawn below zero, "limit" as a quiet dashed line
 *   Detail   query, legend = "{{value}}", unit = "none": a phrase below a headline's number
 *   Headline title, unit = "none", queries [Query], show = "largest" | "each", warn, critical, min, max = null,
 *            details [Detail] = []
 *   Panel    title, section = null, kind = "line" | "area" | "stacked" | "heat" | "bars", unit = "none",
 *            queries [Query], min, max, warn, critical = null, width = 1 | 2 | 3, needs = "" (what it takes to have data)
 *
 * `min` and `max` are what the axis covers at least. The feed's queries are, in this order: of each headline
 * its queries, then its details; then of each panel its queries.
 */
import { list, nullable, number, object, oneOf, otherwise, text, type Check } from "./check";

export const UNITS = [
  "none",
  "ratio",
  "bytes",
  "bytes_per_second",
  "bits_per_second",
  "seconds",
  "per_second",
  "count",
  "celsius",
] as const;
export const KINDS = ["line", "area", "stacked", "heat", "bars"] as const;
export const ROLES = ["value", "mirror", "limit"] as const;
const SHOWS = ["largest", "each"] as const;

export type Unit = (typeof UNITS)[number];
export type Kind = (typeof KINDS)[number];
export type Role = (typeof ROLES)[number];

export interface Query {
  query: string;
  legend: string;
  role: Role;
}

export interface Detail {
  query: string;
  legend: string;
  unit: Unit;
}

/** What both a headline and a panel say about their values. */
export interface Scale {
  unit: Unit;
  min: number | null;
  max: number | null;
  warn: number | null;
  critical: number | null;
}

export interface Headline extends Scale {
  title: string;
  queries: Query[];
  show: (typeof SHOWS)[number];
  details: Detail[];
}

export interface Panel extends Scale {
  title: string;
  section: string | null;
  kind: Kind;
  queries: Query[];
  width: 1 | 2 | 3;
  /** What it takes to have data here; empty where that is not said. */
  needs: string;
}

export interface Board {
  name: string;
  title: string;
  headline: Headline[];
  panels: Panel[];
}

const unit = otherwise(oneOf(UNITS), "none");

const query: Check<Query> = (value, place) => {
  const found = object(value, place);
  return {
    query: text(found.query, `${place}.query`),
    legend: otherwise(text, "")(found.legend, `${place}.legend`),
    role: otherwise(oneOf(ROLES), "value")(found.role, `${place}.role`),
  };
};

const detail: Check<Detail> = (value, place) => {
  const found = object(value, place);
  return {
    query: text(found.query, `${place}.query`),
    legend: otherwise(text, "{{value}}")(found.legend, `${place}.legend`),
    unit: unit(found.unit, `${place}.unit`),
  };
};

const scale: Check<Scale> = (value, place) => {
  const found = object(value, place);
  const bound = nullable(number);
  return {
    unit: unit(found.unit, `${place}.unit`),
    min: bound(found.min, `${place}.min`),
    max: bound(found.max, `${place}.max`),
    warn: bound(found.warn, `${place}.warn`),
    critical: bound(found.critical, `${place}.critical`),
  };
};

const headline: Check<Headline> = (value, place) => {
  const found = object(value, place);
  return {
    title: text(found.title, `${place}.title`),
    queries: list(query)(found.queries, `${place}.queries`),
    show: otherwise(oneOf(SHOWS), "largest")(found.show, `${place}.show`),
    details: otherwise(list(detail), [])(found.details, `${place}.details`),
    ...scale(found, place),
  };
};

const panel: Check<Panel> = (value, place) => {
  const found = object(value, place);
  return {
    title: text(found.title, `${place}.title`),
    section: nullable(text)(found.section, `${place}.section`),
    kind: otherwise(oneOf(KINDS), "line")(found.kind, `${place}.kind`),
    queries: list(query)(found.queries, `${place}.queries`),
    width: otherwise(oneOf([1, 2, 3] as const), 1)(found.width, `${place}.width`),
    needs: otherwise(text, "")(found.needs, `${place}.needs`),
    ...scale(found, place),
  };
};

const board: Check<Board> = (value, place) => {
  const found = object(value, place);
  return {
    name: text(found.name, `${place}.name`),
    title: text(found.title, `${place}.title`),
    headline: otherwise(list(headline), [])(found.headline, `${place}.headline`),
    panels: otherwise(list(panel), [])(found.panels, `${place}.panels`),
  };
};

/** The boards of an answer of `api/boards`. Raises `WireError`. */
export const boards = (answer: unknown): Board[] => list(board)(object(answer, "answer").boards, "boards");

/** Where the queries of each headline and panel begin in the feed's list of queries. */
export function queryOffsets(of: Board): { headline: number[]; panels: number[]; total: number } {
  let total = 0;
  const take = (count: number): number => (total += count) - count;
  const headline = of.headline.map((entry) => take(entry.queries.length + entry.details.length));
  const panels = of.panels.map((entry) => take(entry.queries.length));
  return { headline, panels, total };
}
