import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { at, EPOCH, STEP } from "../testing/service";
import type { Series } from "../wire/messages";
import { Frame } from "./frame";
import { seriesKey, Window } from "./window";

const one: Series[] = [{ query: 0, labels: { cpu: "0" } }];
const columns = (seconds: number[], value = (s: number): number | null => s): { t: number[]; v: (number | null)[][] } => ({
  t: seconds.map((s) => at(s).t),
  v: [seconds.map(value)],
});
const held = (window: Window, from: number, to: number): (number | null)[] => {
  const row = window.rows(0)[0];
  return Array.from({ length: to - from + 1 }, (_, i) => {
    const value = row === undefined ? NaN : window.at(row, at(from + i).n);
    return Number.isNaN(value) ? null : value;
  });
};

describe("the window", () => {
  it("holds the newest columns and lets go of the older", () => {
    const window = new Window(3 * STEP);
    window.absorb(one, columns([0, 1, 2, 3, 4, 5, 6]), STEP);
    expect(held(window, 0, 7)).toEqual([null, null, null, 3, 4, 5, 6, null]);
  });

  it("keeps a gap where a column never came", () => {
    const window = new Window(10 * STEP);
    window.absorb(one, columns([0, 1]), STEP);
    window.append(one, at(5).t, [5]);
    expect(held(window, 0, 5)).toEqual([0, 1, null, null, null, 5]);
  });

  it("keeps a gap where columns leap, be it of years", () => {
    const window = new Window(10 * STEP);
    const later = 10 * 365 * 86_400;
    window.absorb(one, columns([0, 1, 2]), STEP);
    window.absorb(one, columns([3, 6]), STEP);
    expect(held(window, 0, 6)).toEqual([0, 1, 2, 3, null, null, 6]);
    window.absorb(one, columns([7, later]), STEP);
    expect(held(window, later - 2, later)).toEqual([null, null, later]);
  });

  it("fills a gap later, and a repeated column changes nothing", () => {
    const window = new Window(10 * STEP);
    window.append(one, at(0).t, [0]);
    window.append(one, at(3).t, [3]);
    window.absorb(one, columns([0, 1, 2]), STEP);
    expect(held(window, 0, 3)).toEqual([0, 1, 2, 3]);
    expect(window.newest).toBe(at(3).t);
  });

  it("knows a series again by its labels, whatever their order", () => {
    expect(seriesKey({ query: 1, labels: { a: "1", b: "2" } })).toBe(seriesKey({ query: 1, labels: { b: "2", a: "1" } }));
    expect(seriesKey({ query: 1, labels: { a: "1" } })).not.toBe(seriesKey({ query: 2, labels: { a: "1" } }));
  });

  it("keeps the values of a series that another list names in another place", () => {
    const window = new Window(10 * STEP);
    const zero = { query: 0, labels: { cpu: "0" } };
    const ten = { query: 0, labels: { cpu: "10" } };
    const two = { query: 0, labels: { cpu: "2" } };
    window.append([ten, zero, two], at(0).t, [10, 0, 2]);
    window.append([zero, two, ten], at(1).t, [100, 102, 110]);
    const rows = window.rows(0);
    expect(rows.map(({ series }) => series.labels.cpu)).toEqual(["0", "2", "10"]);
    expect(rows.map((row) => [window.at(row, at(0).n), window.at(row, at(1).n)])).toEqual([[0, 100], [2, 102], [10, 110]]);
  });

  it("lets go of a series that has left the feed and has no value any more", () => {
    const window = new Window(3 * STEP);
    window.append([...one, { query: 1, labels: {} }], at(0).t, [1, 1]);
    for (let second = 1; second < 10; second += 1) window.append(one, at(second).t, [1]);
    expect(window.rows(1)).toEqual([]);
    expect(window.rows(0)).toHaveLength(1);
  });

  it("changes its revision only when a series comes or goes", () => {
    const window = new Window(3 * STEP);
    window.append(one, at(0).t, [1]);
    const { revision } = window;
    window.append([{ query: 0, labels: { cpu: "0" } }], at(1).t, [1]);
    expect(window.revision).toBe(revision);
  });

  it("copies what it holds: later columns do not reach the copy", () => {
    const window = new Window(3 * STEP);
    window.absorb(one, columns([0, 1, 2, 3]), STEP);
    const copy = window.copy();
    for (let second = 4; second < 9; second += 1) window.append(one, at(second).t, [second]);
    expect(held(copy, 0, 4)).toEqual([0, 1, 2, 3, null]);
  });

  it("starts anew on another grid", () => {
    const window = new Window(3 * STEP);
    window.append(one, at(0).t, [1]);
    window.absorb(one, { t: [EPOCH + 500], v: [[7]] }, 500);
    expect(window.newest).toBe(EPOCH + 500);
    expect(window.rows(0)).toHaveLength(1);
  });
});

describe("laws of the window", () => {
  const seconds = fc.integer({ min: 0, max: 40 });
  const run = fc.tuple(seconds, fc.integer({ min: 1, max: 12 })).map(([from, length]) => Array.from({ length }, (_, i) => from + i));

  it("holds the union of what came, in any order and however often, as far as it reaches", () => {
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 30 }), (runs, span) => {
        const window = new Window(span * STEP);
        for (const times of runs) window.absorb(one, columns(times), STEP);
        const came = new Set(runs.flat());
        const newest = Math.max(...came);
        const expected = Array.from({ length: newest + 1 }, (_, s) => (came.has(s) && s > newest - span - 1 ? s : null));
        expect(held(window, 0, newest)).toEqual(expected);
      }),
    );
  });

  it("gives a frame one value per column, and time that only grows", () => {
    fc.assert(
      fc.property(run, fc.integer({ min: 1, max: 20 }), (times, range) => {
        const window = new Window(30 * STEP);
        window.absorb(one, columns(times), STEP);
        const frame = new Frame(window, range * STEP);
        const row = window.rows(0)[0];
        expect(frame.times).toHaveLength(range + 1);
        expect(row && frame.values(row)).toHaveLength(range + 1);
        expect([...frame.times]).toEqual([...frame.times].sort((a, b) => a - b));
        expect(frame.times.at(-1)).toBe(window.newest);
      }),
    );
  });
});
