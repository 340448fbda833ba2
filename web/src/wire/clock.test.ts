import fc from "fast-check";
import { expect, it } from "vitest";
import { Backoff } from "./backoff";
import { ServerClock } from "./clock";

it("does not know the time before the service told it", () => {
  expect(new ServerClock().at(5)).toBeNull();
});

it("trusts the message that was fastest on its way", () => {
  const clock = new ServerClock();
  clock.stamped(1000, 900); // 100 ahead, less the way
  clock.stamped(2000, 1850); // 150 ahead: a faster way
  clock.stamped(3000, 2950);
  expect(clock.at(3000)).toBe(3150);
});

it("lets go of old samples, as clocks drift apart", () => {
  const clock = new ServerClock();
  clock.stamped(1000, 0);
  clock.stamped(700_500, 700_000);
  expect(clock.at(700_000)).toBe(700_500);
});

it("cannot be behind what already exists", () => {
  const clock = new ServerClock();
  clock.stamped(1000, 900);
  clock.atLeast(5000, 4000);
  expect(clock.at(4000)).toBe(5000);
});

it("is never ahead of the real clock, and off by no more than the fastest way", () => {
  const ways = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(ways, fc.integer({ min: 0, max: 10 ** 12 }), (delays, ahead) => {
      const clock = new ServerClock();
      delays.forEach((delay, i) => clock.stamped(i * 1000 + ahead, i * 1000 + delay));
      const now = delays.length * 1000;
      expect(clock.at(now)).toBe(now + ahead - Math.min(...delays));
    }),
  );
});

it("waits up to twice as long after each failure, but never longer than 15 s", () => {
  const backoff = new Backoff(() => 1);
  const waits = Array.from({ length: 8 }, () => backoff.next(0));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

it("starts low again only after 30 s of health", () => {
  const backoff = new Backoff(() => 1);
  backoff.next(0);
  expect(backoff.next(29_999)).toBe(500);
  expect(backoff.next(30_000)).toBe(250);
});

it("spreads a crowd over the whole wait", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (luck) => {
      expect(new Backoff(() => luck).next(0)).toBeCloseTo(250 * luck);
    }),
  );
});
