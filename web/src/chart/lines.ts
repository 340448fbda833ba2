/** What a panel draws: one line per series that has values in sight, and their columns as uPlot takes them. */
import type uPlot from "uplot";
import type { Frame } from "../data/frame";
import { legend } from "../data/legend";
import { stacked, type Values } from "../data/stack";
import type { Row } from "../data/window";
import type { Panel, Role } from "../wire/board";

export interface Line {
  row: Row;
  name: string;
  role: Role;
  /** Place in the palette: a mirrored line has the colour of the one that it mirrors. */
  colour: number;
}

/** `offset` is where the panel's queries begin in the feed's list. */
export function linesOf(panel: Panel, offset: number, frame: Frame): Line[] {
  const counts = { value: 0, mirror: 0, limit: 0 };
  return panel.queries.flatMap(({ legend: template, role }, i) =>
    frame.rows(offset + i).map((row) => ({
      row,
      name: legend(template, row.series.labels) || panel.title,
      role,
      colour: counts[role]++,
    })),
  );
}

/** Gives the earlier list back while the lines are the same, so that nothing is rebuilt for a new frame. */
export function keeper(): (lines: Line[]) => Line[] {
  let kept: Line[] = [];
  return (lines) => {
    const same = lines.length === kept.length && lines.every(({ row }, i) => row === kept[i]?.row);
    return (kept = same ? kept : lines);
  };
}

/** The one line that is singled out; all of them where none is, or where it has gone. */
export function singled(lines: readonly Line[], key: string | null): readonly Line[] {
  const found = lines.filter(({ row }) => row.key === key);
  return found.length > 0 ? found : lines;
}

const negated = (values: Values): Values => values.map((value) => (value === null ? null : -value));

/** Times (ms) and one list of values per line, in the order of the lines. */
export function chartData(panel: Panel, lines: readonly Line[], frame: Frame): uPlot.AlignedData {
  const values = lines.map(({ row, role }) => {
    const found = frame.values(row);
    return role === "mirror" ? negated(found) : found;
  });
  if (panel.kind !== "stacked") return [frame.times, ...values];
  const piles = stacked(values.filter((_, i) => lines[i]?.role === "value"));
  return [frame.times, ...values.map((row, i) => (lines[i]?.role === "value" ? (piles.shift() ?? row) : row))];
}
