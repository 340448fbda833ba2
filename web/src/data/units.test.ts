import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNITS } from "../wire/board";
import { bounds, lines, roundStep } from "./axis";
import { legend } from "./legend";
import { level } from "./level";
import { stacked } from "./stack";
import { format, tickLabel } from "./units";

describe("a value reads", () => {
  it.each([
    [0.384, "ratio", "38.4%"],
    [1, "ratio", "100%"],
    [0, "ratio", "0%"],
    [0.0004, "ratio", "0.04%"],
    [512, "bytes", "512 B"],
    [1024 ** 3 * 12.34, "bytes", "12.3 GiB"],
    [1023.7, "bytes", "1.00 KiB"],
    [999_700, "bits_per_second", "1.00 Mbit/s"],
    [12_500, "per_second", "12.5k/s"],
    [3, "count", "3"],
    [70_123, "count", "70.1k"],
    [0.0021, "seconds", "2.10 ms"],
    [0, "seconds", "0 s"],
    [0.0000003, "seconds", "0.30 µs"],
    [61.4, "celsius", "61.4 °C"],
    [1.5, "none", "1.50"],
    [NaN, "bytes", "–"],
    [null, "bytes", "–"],
  ] as const)("%s in %s as %s", (value, unit, expected) => {
    expect(format(value, unit).replace(/\u00a0/g, " ")).toBe(expected);
  });

  it("in few characters, whatever it is", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), fc.constantFrom(...UNITS), (value, unit) => {
        const number = Number.parseFloat(format(value, unit));
        expect(Number.isNaN(number)).toBe(false);
        if (unit !== "ratio" && unit !== "celsius" && unit !== "seconds") expect(number).toBeLessThanOrEqual(1024);
      }),
    );
  });

  it("on an axis without trailing zeros, and without the sign of what is mirrored", () => {
    expect([0, 0.5, 1].map((value) => tickLabel(value, "ratio"))).toEqual(["0%", "50%", "100%"]);
    expect([0.0025, 0.07, 0.075].map((value) => tickLabel(value, "ratio"))).toEqual(["0.25%", "7%", "7.5%"]);
    expect(tickLabel(-2_500_000, "bits_per_second")).toBe("2.5\u00a0Mbit/s");
    expect(tickLabel(0, "bytes")).toBe("0");
    expect(tickLabel(100, "count")).toBe("100");
  });
});

describe("the bounds of an axis", () => {
  it("are round in the unit's own base", () => {
    expect(bounds(0, 31.2 * 1024 ** 3, 1024)).toEqual({ min: 0, max: 32 * 1024 ** 3, step: 8 * 1024 ** 3 });
    expect(bounds(0, 1, 1000)).toEqual({ min: 0, max: 1, step: 0.25 });
    expect(bounds(-3, 10, 1000)).toEqual({ min: -5, max: 10, step: 5 });
  });

  it("do not grow for noise at the top", () => {
    expect(bounds(0, 1.004, 1000).max).toBe(1);
  });

  it("hold the data, with three to seven lines", () => {
    const size = fc.double({ min: 1e-3, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(size, size, fc.constantFrom(1000 as const, 1024 as const), (below, above, base) => {
        const { min, max, step } = bounds(-below, above, base);
        expect(min).toBeLessThanOrEqual(-below + 0.03 * step);
        expect(max).toBeGreaterThanOrEqual(above - 0.03 * step);
        const count = lines({ min, max, step }).length;
        expect(count).toBeGreaterThanOrEqual(2);
        expect(count).toBeLessThanOrEqual(7);
      }),
    );
  });

  it("step in numbers that people count in", () => {
    expect([0.3, 1.1, 2.1, 2.6, 7].map((least) => roundStep(least, 1000))).toEqual([0.5, 2, 2.5, 5, 10]);
    expect([3, 700, 1500].map((least) => roundStep(least, 1024))).toEqual([4, 1024, 2048]);
  });
});

describe("a pile", () => {
  it("sums upward, and is a gap only where nothing has a value", () => {
    expect(stacked([[1, null, null], [2, 2, null]])).toEqual([[1, 0, null], [3, 2, null]]);
  });

  it("never falls from one row to the next when no value is negative", () => {
    const row = fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const piles = stacked(rows);
        expect(piles.at(-1)).toEqual(rows[0]?.map((_, i) => rows.reduce((sum, r) => sum + (r[i] ?? 0), 0)));
        piles.slice(1).forEach((pile, r) => pile.forEach((v, i) => expect(v).toBeGreaterThanOrEqual(piles[r]?.[i] ?? 0)));
      }),
    );
  });
});

describe("a legend", () => {
  it("puts label values into its template", () => {
    expect(legend("{{device}} in {{ mode }}", { device: "sda", mode: "user" })).toBe("sda in user");
    expect(legend("{{missing}}!", { device: "sda" })).toBe("!");
    expect(legend("{{constructor}}", {})).toBe("");
  });

  it("shows every label where there is no template", () => {
    expect(legend("", { a: "1", b: "2" })).toBe("a=1 b=2");
  });

  it("takes a label's value as it is: a template in it is not expanded, and what deceives the eye is shown", () => {
    expect(legend("{{a}}", { a: "{{b}}<b>", b: "no" })).toBe("{{b}}<b>");
    expect(legend("{{a}}", { a: "x\u202ey\n" })).toBe("x\\u202ey\\u000a");
  });
});

it("a value is critical before it is high", () => {
  const limits = { warn: 0.8, critical: 0.9 };
  expect([0.79, 0.8, 0.9, NaN].map((value) => level(value, limits))).toEqual(["ok", "warn", "critical", "ok"]);
  expect(level(5, { warn: null, critical: null })).toBe("ok");
});
