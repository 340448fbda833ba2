import fc from "fast-check";
import { expect, it } from "vitest";
import { isStale, sign, type Facts } from "./sign";

const well: Facts = { phase: "open", paused: false, age: 400, shownAge: 400, limit: 3040, wait: 0 };

it.each([
  ["live", {}],
  ["paused", { paused: true }],
  ["connecting", { age: null }],
  ["connecting", { age: null, phase: "connecting" }],
  ["stale", { age: 3041 }],
  ["stale", { age: 3041, paused: true }],
  ["reconnecting", { phase: "waiting", wait: 1200 }],
  ["reconnecting", { phase: "waiting", wait: 1200, paused: true }],
  ["reconnecting", { phase: "connecting", age: 9000 }],
] as const)("says %s for %o", (kind, facts) => {
  expect(sign({ ...well, ...facts }).kind).toBe(kind);
});

it("tells the age of the picture while it is held", () => {
  expect(sign({ ...well, paused: true, shownAge: 8400 })).toEqual({ kind: "paused", age: 8400 });
});

it("tells the step in place of an age where a column stands for more than a sample", () => {
  expect(sign({ ...well, age: 3_240_000, limit: 3_600_000, step: 3_600_000 })).toEqual({ kind: "live", age: 3_240_000, step: 3_600_000 });
  expect(sign({ ...well, age: 3_700_000, limit: 3_600_000, step: 3_600_000 }).kind).toBe("stale");
});

it("never says live or paused of samples that are too old, nor while it waits to come back", () => {
  const facts: fc.Arbitrary<Facts> = fc.record({
    phase: fc.constantFrom("connecting", "open", "waiting"),
    paused: fc.boolean(),
    age: fc.option(fc.integer({ min: 0, max: 100_000 })),
    shownAge: fc.nat(),
    limit: fc.integer({ min: 1, max: 10_000 }),
    wait: fc.integer({ min: 0, max: 15_000 }),
  });
  fc.assert(
    fc.property(facts, (some) => {
      const { kind } = sign(some);
      if (kind === "live" || kind === "paused") {
        expect(isStale(some)).toBe(false);
        expect(some.age).not.toBeNull();
        expect(some.phase === "waiting" && some.wait > 0).toBe(false);
      }
    }),
  );
});
