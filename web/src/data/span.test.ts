import { describe, expect, it } from "vitest";
import { moved, RANGES, searchOf, spanOf, stepFor } from "./span";

const HOUR = 3_600_000;

describe("the step of a range", () => {
  it.each([
    [HOUR, 720, 5000],
    [24 * HOUR, 720, 120_000],
    [30 * 24 * HOUR, 720, HOUR],
    [365 * 24 * HOUR, 730, 12 * HOUR],
    [365 * 24 * HOUR, 300, 48 * HOUR],
  ])("of %i ms in %i columns is %i ms", (range, points, step) => {
    expect(stepFor(range, points, 1000)).toBe(step);
  });

  it("is a multiple of the service's own", () => {
    expect(stepFor(HOUR, 720, 10_000)).toBe(10_000);
    expect(stepFor(HOUR, 720, 7000)).toBe(7000);
  });
});

describe("an address", () => {
  it("says every range, and comes back as it was", () => {
    for (const { range } of RANGES) {
      for (const until of [null, 1_764_000_000_000]) {
        expect(spanOf(searchOf({ range, until }, 0))).toEqual({ range, until });
      }
    }
    expect(spanOf(searchOf({ range: 90 * 60_000, until: null }, 0))).toEqual({ range: 90 * 60_000, until: null });
  });

  it("says nothing of what a page begins with", () => {
    expect(searchOf({ range: HOUR, until: null }, HOUR)).toBe("");
  });

  it.each(["", "?range=", "?range=7", "?range=-1h", "?range=1s", "?range=h", "?until=2025-01-01"])("that says %j is none", (search) => {
    expect(spanOf(search)).toBeNull();
  });

  it("with a time that is none is live", () => {
    expect(spanOf("?range=1h&until=yesterday")).toEqual({ range: HOUR, until: null });
  });
});

describe("going back and forth", () => {
  const now = 1_764_000_000_000;

  it("moves by half a range, and ends at now", () => {
    const back = moved({ range: HOUR, until: null }, -1, now);
    expect(back).toEqual({ range: HOUR, until: now - HOUR / 2 });
    expect(moved(moved(back, -1, now), 1, now)).toEqual(back);
    expect(moved(back, 1, now)).toEqual({ range: HOUR, until: null });
  });
});
