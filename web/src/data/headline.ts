/** A headline's numbers: what it says now, in words and figures, and the line behind it. */
import type { Headline } from "../wire/board";
import type { Frame } from "./frame";
import { legend } from "./legend";
import { level, type Level } from "./level";
import { format, reading, type Reading } from "./units";
import type { Row } from "./window";

export interface Figure {
  name: string;
  reading: Reading;
  value: number;
}

export interface Summary {
  figures: Figure[];
  level: Level;
  detail: string;
}

interface Candidate {
  row: Row;
  name: string;
  value: number;
}

const candidates = (headline: Headline, offset: number, frame: Frame): Candidate[] =>
  headline.queries.flatMap((query, i) =>
    frame.rows(offset + i).map((row) => ({
      row,
      name: query.legend === "" ? "" : legend(query.legend, row.series.labels),
      value: frame.at(row, null),
    })),
  );

const largest = (of: Candidate[]): Candidate | undefined =>
  of.filter(({ value }) => !Number.isNaN(value)).sort((a, b) => b.value - a.value)[0];

function detail({ details, queries }: Headline, offset: number, frame: Frame): string {
  const phrases = details.map(({ legend: template, unit }, i) => {
    const row = frame.rows(offset + queries.length + i)[0];
    const value = row === undefined ? NaN : frame.at(row, null);
    if (row === undefined || Number.isNaN(value)) return "";
    return legend(template, { ...row.series.labels, value: format(value, unit) });
  });
  return phrases.filter((phrase) => phrase !== "").join(" ");
}

/** The headline now, wherever the cursor is. `offset` is where its queries begin in the feed's list. */
export function summary(headline: Headline, offset: number, frame: Frame): Summary {
  const all = candidates(headline, offset, frame);
  const top = largest(all);
  const chosen = headline.show === "each" ? all : top === undefined ? [] : [top];
  return {
    figures: chosen.map(({ name, value }) => ({ name, value, reading: reading(value, headline.unit) })),
    level: top === undefined ? "ok" : level(top.value, headline),
    detail: detail(headline, offset, frame),
  };
}

/** The spark lines: one per query, the largest of its series in each column; NaN for gaps. */
export function sparks(headline: Headline, offset: number, frame: Frame): Float64Array[] {
  const highest = (rows: Row[]): Float64Array => {
    const line = new Float64Array(frame.to - frame.from + 1).fill(NaN);
    for (const row of rows) {
      for (let i = 0; i < line.length; i += 1) {
        const value = frame.window.at(row, frame.from + i);
        if (!(value <= (line[i] ?? NaN)) && !Number.isNaN(value)) line[i] = value;
      }
    }
    return line;
  };
  const perQuery = headline.queries.map((_, i) => frame.rows(offset + i));
  return headline.show === "each" ? perQuery.map(highest) : [highest(perQuery.flat())];
}
