/** A chart in words, for those who do not see it. */
import type { Line } from "../chart/lines";
import { clock } from "../chart/time";
import type { Frame } from "../data/frame";
import { format } from "../data/units";
import type { Unit } from "../wire/board";

/** More than this many lines are not read out one by one. */
const MOST = 12;

export function chartSummary(lines: readonly Line[], frame: Frame, unit: Unit, time: number | null): string {
  const said = lines.slice(0, MOST).map(({ row, name }) => `${name} ${format(frame.at(row, time), unit)}`);
  const more = lines.length > MOST ? [`and ${lines.length - MOST} more`] : [];
  return `${clock(time ?? frame.to * frame.window.step, true)}: ${[...said, ...more].join(", ")}`;
}
