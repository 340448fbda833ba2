/** uPlot's options for a panel: a pure function of the panel, its lines and the colours. */
import type uPlot from "uplot";
import { bounds, lines as gridLines, type Bounds } from "../data/axis";
import { base, tickLabel } from "../data/units";
import type { Panel, Unit } from "../wire/board";
import type { Happened } from "../wire/happened";
import { heatPainter } from "./heat";
import type { Line } from "./lines";
import { dataColour, faded, type Palette } from "./palette";
import { markPainter } from "./marks";
import { interval, label, marks as timeMarks, needsSeconds } from "./time";

export const HEIGHT = 136;
const FONT = '11px -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';
const AXIS_WIDTH = 64;
/** Half the width of a time label. */
const LABEL = 16;
/** Width of a sample that stands alone. */
const DOT = 3;
const FILLS = { line: 0, area: 0.16, stacked: 0.5, heat: 0, bars: 0 } as const;

/** What an axis reaches at least where its panel does not say: noise shall not look like a mountain. */
const REACH: Readonly<Partial<Record<Unit, number>>> = {
  ratio: 0.01,
  bytes: 4 * 1024 ** 2,
  bytes_per_second: 4 * 1024,
  bits_per_second: 4000,
  per_second: 4,
  count: 4,
};
/** How far data may pass what is asked for before the axis grows. */
const OVERSHOOT = 1.02;
/** A share of the whole cannot pass 1, but a rate over a few samples measures it as a little more. */
const SHARE_OVERSHOOT = 1.1;

/** Bounds of the value axis for what the panel asks for and the data needs. */
export function valueBounds(panel: Panel, dataMin: number | null, dataMax: number | null): Bounds {
  const low = Math.min(panel.min ?? 0, dataMin ?? Infinity);
  const reach = panel.max ?? REACH[panel.unit] ?? -Infinity;
  const overshoot = panel.unit === "ratio" && panel.max === 1 ? SHARE_OVERSHOOT : OVERSHOOT;
  const high = dataMax !== null && dataMax > reach * overshoot ? dataMax : reach;
  return bounds(low, high > low ? high : low + 1, base(panel.unit));
}

/** Fills between neighbours of the pile; the lowest fills down to zero by itself. */
export function bands(lines: readonly Line[]): uPlot.Band[] {
  const places = lines.flatMap(({ role }, i) => (role === "value" ? [i + 1] : []));
  return places.slice(1).map((upper, i) => ({ series: [upper, places[i] ?? 1] }));
}

const colourOf = ({ role, colour }: Line, palette: Palette): string =>
  role === "limit" ? palette.limit : dataColour(palette, colour);

/** Places of samples with no neighbour, which a line alone does not show; null where there are none. */
export function lone(values: ArrayLike<number | null | undefined>): number[] | null {
  const missing = (i: number): boolean => (values[i] ?? null) === null;
  const found: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    if (!missing(i) && missing(i - 1) && missing(i + 1)) found.push(i);
  }
  return found.length > 0 ? found : null;
}

function seriesOf(panel: Panel, line: Line, palette: Palette): uPlot.Series {
  const { name, role, colour } = line;
  if (panel.kind === "heat") return { label: name, points: { show: false }, paths: () => null };
  const stroke = colourOf(line, palette);
  const filter: uPlot.Series.Points.Filter = (chart, i) => lone(chart.data[i] ?? []);
  const quiet = { label: name, points: { show: false, filter, size: DOT, width: 0, fill: stroke } };
  if (role === "limit") return { ...quiet, stroke, width: 1, dash: [4, 4] };
  const fill = FILLS[panel.kind];
  const dash = colour >= palette.data.length ? { dash: [8, 3] } : {};
  return { ...quiet, stroke, width: 1.5, ...dash, ...(fill > 0 ? { fill: faded(stroke, fill) } : {}) };
}

function timeAxis(palette: Palette): uPlot.Axis {
  const step = (chart: uPlot, from: number, to: number): number => interval(to - from, chart.width - AXIS_WIDTH);
  return {
    stroke: palette.text,
    font: FONT,
    size: 22,
    gap: 4,
    grid: { show: false },
    ticks: { show: false },
    // The last label would be cut off where its mark stands at the edge.
    splits: (chart, _, from, to) => timeMarks(from, to - ((to - from) * LABEL) / chart.width, step(chart, from, to)),
    values: (_, splits) => {
      const seconds = splits.some(needsSeconds);
      return splits.map((time) => label(time, seconds));
    },
  };
}

/** What is mirrored is no less than nothing: only where nothing is has a value below zero a sign. */
function valueAxis(panel: Panel, palette: Palette, current: () => Bounds): uPlot.Axis {
  const mirrored = panel.queries.some(({ role }) => role === "mirror");
  const sign = (value: number): string => (value < 0 && !mirrored ? "-" : "");
  return {
    stroke: palette.text,
    font: FONT,
    size: AXIS_WIDTH,
    gap: 6,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    splits: () => gridLines(current()),
    values: (_, splits) => splits.map((value) => sign(value) + tickLabel(value, panel.unit)),
  };
}

/** A thin line at each threshold that lies within the axis. */
function thresholds({ warn, critical }: Panel, palette: Palette): (chart: uPlot) => void {
  const marked = [
    { value: warn, colour: palette.warn },
    { value: critical, colour: palette.critical },
  ];
  return (chart) => {
    const { top, left, width, height } = chart.bbox;
    for (const { value, colour } of marked) {
      const y = value === null ? NaN : Math.round(chart.valToPos(value, "y", true));
      if (!(y >= top && y <= top + height)) continue;
      chart.ctx.fillStyle = faded(colour, 0.5);
      chart.ctx.fillRect(left, y, width, 1);
    }
  };
}

/** The rows of a heat map are named at the bottom and the top only. */
function rowAxis(lines: readonly Line[], palette: Palette): uPlot.Axis {
  const places = lines.length > 1 ? [0.5, lines.length - 0.5] : [0.5];
  return {
    stroke: palette.text,
    font: FONT,
    size: AXIS_WIDTH,
    gap: 6,
    grid: { show: false },
    ticks: { show: false },
    splits: () => places,
    values: (_, splits) => splits.map((place) => lines[Math.floor(place)]?.name ?? ""),
  };
}

export interface Look {
  panel: Panel;
  lines: readonly Line[];
  palette: Palette;
  width: number;
  /** Called with the time (ms) under the pointer, or null when it has left. */
  point: (time: number | null) => void;
  select?: Choose | undefined;
  /** What happened, asked for with every drawing. */
  marks?: () => readonly Happened[];
}

/** Takes a part of the time (ms). */
export type Choose = (part: { from: number; to: number }) => void;

/** Fewer pixels are a click. */
const DRAWN = 6;

function chosen(chart: uPlot, select: Choose): void {
  const { left, width } = chart.select;
  if (width < DRAWN) return;
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  select({ from: chart.posToVal(left, "x"), to: chart.posToVal(left + width, "x") });
}

function pointed(chart: uPlot, point: Look["point"]): void {
  if (!chart.over.matches(":hover")) return;
  const { left, idx } = chart.cursor;
  const inside = left !== undefined && left >= 0 && idx !== null && idx !== undefined;
  point(inside ? ((chart.data[0][idx] as number | undefined) ?? null) : null);
}

export function chartOptions({ panel, lines, palette, width, point, select, marks = () => [] }: Look): uPlot.Options {
  const heat = panel.kind === "heat";
  const colours = lines.map((line) => colourOf(line, palette));
  const dot = (_: uPlot, i: number): number => (lines[i - 1]?.role === "limit" ? 0 : 7);
  let current = valueBounds(panel, null, null);
  const range: uPlot.Range.Function = (_, dataMin, dataMax) => {
    if (heat) return [0, Math.max(1, lines.length)];
    current = valueBounds(panel, dataMin, dataMax);
    return [current.min, current.max];
  };
  return {
    width,
    height: HEIGHT,
    ms: 1,
    padding: [6, 8, 0, 0],
    legend: { show: false },
    series: [{}, ...lines.map((line) => seriesOf(panel, line, palette))],
    bands: panel.kind === "stacked" ? bands(lines) : [],
    scales: { x: { time: true }, y: { range } },
    axes: [timeAxis(palette), heat ? rowAxis(lines, palette) : valueAxis(panel, palette, () => current)],
    cursor: {
      y: false,
      drag: { setScale: false, x: select !== undefined, y: false },
      points: heat ? { show: false } : { size: dot, width: 0, fill: (_, i) => colours[i - 1] ?? palette.text },
    },
    hooks: {
      setCursor: [(chart) => pointed(chart, point)],
      ...(select === undefined ? {} : { setSelect: [(chart: uPlot) => chosen(chart, select)] }),
      draw: [heat ? heatPainter(panel, lines, palette) : thresholds(panel, palette), markPainter(marks, palette, FONT)],
    },
  };
}
