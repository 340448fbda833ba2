import { describe, expect, it } from "vitest";
import { drawn, moved, RANGES, searchOf, spanOf, stepFor, zoomed } from "./span";

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

describe("a part that is drawn over", () => {
  const now = 1_764_000_000_000;

  it("is shown as it was drawn, in whole seconds", () => {
    expect(drawn(now - 7_200_400, now - 3_600_200, now)).toEqual({ range: HOUR, until: now - HOUR });
  });

  it("is a minute at least, around what was drawn, and ends by now", () => {
    expect(drawn(now - HOUR, now - HOUR + 2000, now)).toEqual({ range: 60_000, until: now - HOUR + 31_000 });
    expect(drawn(now - 2000, now, now)).toEqual({ range: 60_000, until: now });
  });
});

describe("nearer and farther", () => {
  const now = 1_764_000_000_000;
  const year = 365 * 24 * HOUR;

  it("keeps the time in its place that is pointed at", () => {
    const near = zoomed({ range: HOUR, until: null }, 0.5, now - HOUR / 2, now, year);
    expect(near).toEqual({ range: HOUR / 2, until: now - HOUR / 4 });
    expect(zoomed(near, 2, now - HOUR / 2, now, year)).toEqual({ range: HOUR, until: null });
  });

  it("keeps the end where nothing is pointed at, and goes on where that is now", () => {
    expect(zoomed({ range: HOUR, until: null }, 0.5, null, now, year)).toEqual({ range: HOUR / 2, until: null });
    expect(zoomed({ range: HOUR, until: now - HOUR }, 2, null, now, year)).toEqual({ range: 2 * HOUR, until: now - HOUR });
  });

  it("stays between a minute and what the service takes", () => {
    expect(zoomed({ range: 60_000, until: now - HOUR }, 0.5, null, now, year).range).toBe(60_000);
    expect(zoomed({ range: year, until: null }, 2, null, now, year)).toEqual({ range: year, until: null });
  });
});
