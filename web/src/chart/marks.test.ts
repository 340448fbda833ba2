import type uPlot from "uplot";
import { expect, it } from "vitest";
import { markAt, within } from "../data/marks";
import { happened, type Happened } from "../wire/happened";
import { WireError } from "../wire/check";
import { markPainter } from "./marks";
import { PALETTES } from "./palette";

const gap: Happened = { time: 1000, end: 5000, kind: "gap", text: "the service did not run" };
const step: Happened = { time: 3000, end: 3000, kind: "clock", text: "the clock was set on" };
const damage: Happened = { time: 8000, end: 8000, kind: "damage", text: "cannot be read" };

/** A chart of 100 px for 10 s, and what was called on its context. */
function chartOf(): { chart: uPlot; calls: string[]; rects: number[][] } {
  const calls: string[] = [];
  const rects: number[][] = [];
  const ctx = new Proxy({} as Record<string, unknown>, {
    get: (held, name: string) => {
      if (name in held) return held[name];
      if (name === "measureText") return () => ({ width: 20 });
      return (...args: unknown[]) => {
        calls.push(name === "fillText" ? String(args[0]) : name);
        if (name === "fillRect") rects.push(args as number[]);
      };
    },
    set: (held, name: string, value) => ((held[name] = value), true),
  });
  const chart = {
    ctx,
    bbox: { left: 0, top: 0, width: 100, height: 50 },
    over: { clientWidth: 100 },
    scales: { x: { min: 0, max: 10_000 } },
    valToPos: (time: number) => time / 100,
  };
  return { chart: chart as unknown as uPlot, calls, rects };
}

const painted = (...all: Happened[]): ReturnType<typeof chartOf> => {
  const found = chartOf();
  markPainter(() => all, PALETTES.dark, "11px sans-serif")(found.chart);
  return found;
};

it("hatches a gap over its time, with its text", () => {
  const { calls, rects } = painted(gap);
  expect(rects[0]).toEqual([10, 0, 40, 50]);
  expect(calls).toContain("clip");
  expect(calls).toContain("the service did not run");
});

it("draws a line with a sign of its kind for a moment", () => {
  const clock = painted(step);
  expect(clock.rects[0]).toEqual([30, 0, 1, 50]);
  expect(clock.calls).toContain("arc");
  expect(painted(damage).calls).not.toContain("arc");
  expect(painted({ ...step, kind: "restart" }).calls).toContain("arc");
  expect(painted({ ...step, kind: "failed" }).calls).not.toContain("arc");
});

it("draws nothing of what is out of sight, and all of a band that begins before", () => {
  expect(painted({ ...gap, time: 20_000, end: 30_000 }).rects).toEqual([]);
  expect(painted({ ...gap, time: -5000 }).rects[0]).toEqual([0, 0, 50, 50]);
});

it("finds what was at a time, the moment before what lasts", () => {
  expect(within([gap, step, damage], 4000, 6000)).toEqual([gap]);
  expect([markAt([gap, step], 3100, 1000), markAt([gap, step], 4000, 1000), markAt([gap], 7000, 1000)]).toEqual([step, gap, null]);
});

it("is read from the service's answer in seconds, and from nothing else", () => {
  expect(happened({ data: [{ time: 1, end: 5, kind: "gap", text: "the service did not run" }] })).toEqual([gap]);
  expect(() => happened({ data: [{ time: "1" }] })).toThrow(WireError);
});
