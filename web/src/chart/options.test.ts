import type uPlot from "uplot";
import { describe, expect, it } from "vitest";
import { Frame } from "../data/frame";
import { Window } from "../data/window";
import { at, STEP } from "../testing/service";
import type { Kind, Panel, Query } from "../wire/board";
import { cells } from "./heat";
import { chartData, keeper, linesOf, singled, type Line } from "./lines";
import { bands, chartOptions, lone, valueBounds } from "./options";
import { dataColour, faded, PALETTES, ramp } from "./palette";
import { paintSpark, runs, sparkBounds } from "./spark";
import { clock, interval, marks } from "./time";

const query = (legend: string, role: Query["role"] = "value"): Query => ({ query: "q", legend, role });
const panelOf = (kind: Kind, queries: Query[], extra: Partial<Panel> = {}): Panel => ({
  title: "P",
  section: null,
  kind,
  unit: "ratio",
  queries,
  min: null,
  max: null,
  warn: null,
  critical: null,
  width: 1,
  needs: "",
  ...extra,
});

/** A frame of three columns; `rows` are [query, cpu, values]. */
function frameOf(rows: [number, string, (number | null)[]][]): Frame {
  const window = new Window(10 * STEP);
  const series = rows.map(([query, cpu]) => ({ query, labels: { cpu } }));
  const t = [0, 1, 2].map((second) => at(second).t);
  window.absorb(series, { t, v: rows.map(([, , values]) => values) }, STEP);
  return new Frame(window, 2 * STEP);
}

describe("the lines of a panel", () => {
  const frame = frameOf([
    [5, "0", [1, 2, null]],
    [5, "1", [3, 4, 5]],
    [6, "0", [9, 9, 9]],
    [7, "0", [null, null, null]],
  ]);
  const panel = panelOf("area", [query("core {{cpu}}"), query("out {{cpu}}", "mirror")]);

  it("are the series of its queries, named by their legends", () => {
    expect(linesOf(panel, 5, frame).map(({ name, role, colour }) => [name, role, colour])).toEqual([
      ["core 0", "value", 0],
      ["core 1", "value", 1],
      ["out 0", "mirror", 0],
    ]);
  });

  it("leave out what has no value in sight", () => {
    expect(linesOf(panelOf("line", [query("x")]), 7, frame)).toEqual([]);
    expect(linesOf(panelOf("line", [query("x")]), 8, frame)).toEqual([]);
  });

  it("stay the same object for a new frame of the same series", () => {
    const keep = keeper();
    const first = keep(linesOf(panel, 5, frame));
    expect(keep(linesOf(panel, 5, frame))).toBe(first);
    expect(keep(linesOf(panel, 6, frame))).not.toBe(first);
  });

  it("are drawn with gaps as gaps, mirrored below zero", () => {
    expect(chartData(panel, linesOf(panel, 5, frame), frame)).toEqual([
      frame.times,
      [1, 2, null],
      [3, 4, 5],
      [-9, -9, -9],
    ]);
  });

  it("are piled up when stacked, the limit apart", () => {
    const stack = panelOf("stacked", [query("core {{cpu}}"), query("total", "limit")]);
    const lines = linesOf(stack, 5, frame);
    expect(chartData(stack, lines, frame).slice(1)).toEqual([[1, 2, 0], [4, 6, 5], [9, 9, 9]]);
    expect(bands(lines)).toEqual([{ series: [2, 1] }]);
  });
});

describe("the options", () => {
  const palette = PALETTES.dark;
  const frame = frameOf([[0, "0", [1, 2, 3]], [1, "0", [4, 4, 4]]]);
  const options = (kind: Kind, extra: Partial<Panel> = {}): { lines: Line[]; options: uPlot.Options } => {
    const panel = panelOf(kind, [query("a"), query("b", "limit")], extra);
    const lines = linesOf(panel, 0, frame);
    return { lines, options: chartOptions({ panel, lines, palette, width: 400, point: () => undefined }) };
  };

  it("fill areas and not lines, and never a limit", () => {
    const [, line, limit] = options("line").options.series;
    expect(line).toMatchObject({ stroke: palette.data[0], label: "a" });
    expect(line).not.toHaveProperty("fill");
    expect(limit).toMatchObject({ stroke: palette.limit, dash: [4, 4] });
    expect(options("area").options.series[1]?.fill).toBe(faded(palette.data[0] ?? "", 0.16));
    expect(options("stacked").options.series[2]).not.toHaveProperty("fill");
  });

  it("keep the axis at what the panel asks for, and let it grow with the data", () => {
    const panel = panelOf("line", [query("a")], { min: 0, max: 1 });
    expect(valueBounds(panel, 0.1, 0.3)).toMatchObject({ min: 0, max: 1 });
    expect(valueBounds(panel, 0.1, 3.2)).toMatchObject({ min: 0, max: 4 });
    expect(valueBounds(panel, 0, 1.06)).toMatchObject({ min: 0, max: 1, step: 0.25 });
  });

  it("do not make a mountain of nothing", () => {
    const plain = (unit: Panel["unit"]): Panel => panelOf("line", [], { unit });
    expect(valueBounds(plain("none"), null, null)).toMatchObject({ min: 0, max: 1 });
    expect(valueBounds(plain("count"), 0, 0)).toEqual({ min: 0, max: 4, step: 1 });
    expect(valueBounds(plain("bytes"), 0, 0)).toEqual({ min: 0, max: 4 * 1024 ** 2, step: 1024 ** 2 });
    expect(valueBounds(plain("per_second"), -1, 0)).toEqual({ min: -2, max: 4, step: 2 });
  });

  it("draw no line through the cells of a heat map, one row per line", () => {
    const { options: heat } = options("heat");
    expect(heat.hooks?.draw).toHaveLength(2);
    const range = heat.scales?.y?.range as uPlot.Range.Function;
    expect(range({} as uPlot, 0, 1, "y")).toEqual([0, 2]);
  });

  it("take times in milliseconds and show no second legend", () => {
    expect(options("line").options).toMatchObject({ ms: 1, legend: { show: false } });
  });
});

describe("colours", () => {
  it("come again after seven", () => {
    expect(dataColour(PALETTES.light, 8)).toBe(PALETTES.light.data[1]);
  });

  it("run from the first stop to the last", () => {
    const table = ramp(["#000000", "#0000ff", "#ffffff"]);
    expect([table[0], table[255]].map((pixel) => pixel?.toString(16))).toEqual(["ff000000", "ffffffff"]);
    expect(table).toHaveLength(256);
  });
});

it("a heat map has its first line at the bottom, and nothing where a value is missing", () => {
  const table = Uint32Array.from({ length: 256 }, (_, i) => i + 1);
  const { width, height, pixels } = cells([[0, 0.5], [1, null]], [0, 1], table);
  expect([width, height]).toEqual([2, 2]);
  expect([...pixels]).toEqual([256, 0, 1, 129]);
});

describe("a spark line", () => {
  const box = { width: 100, height: 10, low: 0, high: 2 };

  it("is broken where there is no value", () => {
    expect(runs(Float64Array.of(0, 2, NaN, 1, NaN), box)).toEqual([[[0, 10], [25, 0]], [[75, 5]]]);
  });

  it("covers what the headline asks for at least", () => {
    expect(sparkBounds([Float64Array.of(0.2, NaN)], 0, 1)).toEqual([0, 1]);
    expect(sparkBounds([Float64Array.of(5, 7)], null, null)).toEqual([0, 7]);
    expect(sparkBounds([], null, null)).toEqual([0, 1]);
  });

  it("is filled only where a fill is asked for", () => {
    const calls: string[] = [];
    const context = new Proxy({} as CanvasRenderingContext2D, {
      get: (_, name) => () => calls.push(String(name)),
      set: () => true,
    });
    paintSpark(context, Float64Array.of(1, 2), box, { colour: "#fff", fill: null });
    expect(calls).not.toContain("fill");
    paintSpark(context, Float64Array.of(1, 2), box, { colour: "#fff", fill: "#000" });
    expect(calls).toContain("fill");
  });
});

describe("the time axis", () => {
  it("has marks at round times with room for their labels", () => {
    expect(interval(300_000, 400)).toBe(60_000);
    expect(interval(60_000, 400)).toBe(15_000);
    expect(interval(900_000, 300)).toBe(300_000);
    expect(interval(300_000, 760)).toBe(60_000); // 30 s would fit, but not with the seconds written out
    expect(marks(61_000, 181_000, 60_000)).toEqual([120_000, 180_000]);
  });

  it("reads as the viewer's clock", () => {
    const time = new Date(2026, 10, 23, 9, 5, 7).getTime();
    expect([clock(time, false), clock(time, true)]).toEqual(["09:05", "09:05:07"]);
  });
});

describe("a sample that stands alone", () => {
  it("is one between two gaps, or at an edge with a gap beside it", () => {
    expect(lone([null, 1, null, 2, 3, null, 4])).toEqual([1, 6]);
    expect(lone([1, 2, null])).toBeNull();
    expect(lone([])).toBeNull();
  });

  it("is drawn as a point in the colour of its line", () => {
    const frame = frameOf([[0, "0", [null, 2, null]]]);
    const panel = panelOf("line", [query("a")]);
    const lines = linesOf(panel, 0, frame);
    const { series } = chartOptions({ panel, lines, palette: PALETTES.dark, width: 400, point: () => undefined });
    const points = series[1]?.points as { filter: uPlot.Series.Points.Filter; fill: string };
    const chart = { data: chartData(panel, lines, frame) } as unknown as uPlot;
    expect((points.filter as (...of: unknown[]) => unknown)(chart, 1, false, [])).toEqual([1]);
    expect(points.fill).toBe(PALETTES.dark.data[0]);
  });

  it("is a dot in a spark line", () => {
    const rectangles: unknown[][] = [];
    const context = { fillRect: (...of: unknown[]) => rectangles.push(of) } as unknown as CanvasRenderingContext2D;
    const box = { width: 100, height: 10, low: 0, high: 2 };
    paintSpark(context, Float64Array.of(NaN, 1, NaN), box, { colour: "#fff", fill: "#000" });
    expect(rectangles).toEqual([[49, 4, 2, 2]]);
  });
});

it("a line that is singled out is shown alone, and all when it has gone", () => {
  const frame = frameOf([[0, "0", [1, 2, 3]], [0, "1", [4, 4, 4]]]);
  const lines = linesOf(panelOf("line", [query("{{cpu}}")]), 0, frame);
  expect(singled(lines, lines[1]?.row.key ?? "").map(({ name }) => name)).toEqual(["1"]);
  expect(singled(lines, "gone")).toBe(lines);
  expect(singled(lines, null)).toBe(lines);
});

describe("the value axis", () => {
  const labels = (panel: Panel): (string | number | null)[] => {
    const { axes } = chartOptions({ panel, lines: [], palette: PALETTES.dark, width: 400, point: () => {} });
    const values = axes?.[1]?.values as (chart: unknown, splits: number[]) => (string | number | null)[];
    return values(null, [-50, 0, 50]);
  };

  it("has a sign below zero, but where what is there is mirrored", () => {
    expect(labels(panelOf("line", [query("x")], { unit: "celsius" }))).toEqual(["-50\u00a0°C", "0", "50\u00a0°C"]);
    expect(labels(panelOf("area", [query("in"), query("out", "mirror")], { unit: "count" }))).toEqual(["50", "0", "50"]);
  });
});
