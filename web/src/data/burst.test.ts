import { describe, expect, it } from "vitest";
import { gridOf, panelsOf, slid, windowOf, zoomed } from "./burst";
import { Frame } from "./frame";

const burst = { id: "0", reason: "", time: 0, start: 1_000_050, end: 1_060_050, step: 100 };
const whole = { from: 0, to: 60_000, step: 100 };

describe("a burst", () => {
  it("is asked on whole steps, and its columns are where they were measured", () => {
    expect(gridOf(burst)).toEqual({ start: 1_000_100, end: 1_060_100 });
    const points: [number, number][] = [[1_000_100, 1], [1_000_300, 3]];
    const window = windowOf(burst, [[], [{ labels: { mode: "user" }, points }]]);
    const frame = new Frame(window, 60_000);
    const [row] = frame.rows(1);
    expect(frame.rows(0)).toEqual([]);
    expect(row && frame.values(row).slice(0, 4)).toEqual([1, null, 3, null]);
    expect(frame.times[2]).toBe(1_000_300);
  });

  it("is cut to the part that is looked at", () => {
    const points: [number, number][] = Array.from({ length: 601 }, (_, i) => [1_000_100 + 100 * i, i]);
    const frame = new Frame(windowOf(burst, [[{ labels: {}, points }]]), 2000, 1_010_100);
    const [row] = frame.rows(0);
    expect(frame.times).toHaveLength(21);
    expect(row && frame.values(row).at(-1)).toBe(100);
  });

  it("has rates over five samples", () => {
    expect(panelsOf(50).flatMap(({ queries }) => queries.map(({ query }) => query)).join(" ")).toContain("[250ms]");
  });
});

describe("the part that is looked at", () => {
  it("is made shorter around a time, and never leaves the whole", () => {
    expect(zoomed(whole, 0.5, null, whole)).toEqual({ from: 15_000, to: 45_000 });
    expect(zoomed(whole, 0.5, 1000, whole)).toEqual({ from: 0, to: 30_000 });
    expect(zoomed({ from: 50_000, to: 60_000 }, 2, null, whole)).toEqual({ from: 40_000, to: 60_000 });
    expect(zoomed({ from: 10_000, to: 50_000 }, 8, null, whole)).toEqual({ from: 0, to: 60_000 });
  });

  it("is two seconds at least", () => {
    expect(zoomed({ from: 10_000, to: 12_500 }, 0.5, 11_000, whole)).toEqual({ from: 10_000, to: 12_000 });
  });

  it("begins and ends with a sample", () => {
    expect(zoomed({ from: 10_000, to: 18_100 }, 0.5, 12_345.6, whole)).toEqual({ from: 10_300, to: 14_400 });
    expect(slid({ from: 10_300, to: 14_400 }, -1, whole)).toEqual({ from: 9300, to: 13_400 });
    expect(zoomed(whole, 63.7 / 600, 30_000.4, whole)).toEqual({ from: 26_800, to: 33_200 });
  });

  it("slides by a quarter, to the ends", () => {
    expect(slid({ from: 20_000, to: 40_000 }, 1, whole)).toEqual({ from: 25_000, to: 45_000 });
    expect(slid({ from: 1000, to: 21_000 }, -1, whole)).toEqual({ from: 0, to: 20_000 });
  });
});
