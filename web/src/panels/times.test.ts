import { describe, expect, it } from "vitest";
import { entered, read, said, saidSpan } from "./times";

const DAY = 86_400_000;

describe("a part of time as it is entered", () => {
  it("is read by the clock of the person", () => {
    const at = new Date(2025, 10, 12, 14, 3, 9).getTime();
    expect([entered(at), said(at)]).toEqual(["2025-11-12T14:03:09", "2025-11-12 14:03"]);
    expect(read(entered(at - DAY), entered(at), 2 * DAY)).toEqual({ range: DAY, until: at });
  });

  it("is said with one day where one will do, and with seconds where it is short", () => {
    const until = new Date(2025, 10, 12, 14, 3, 9).getTime();
    expect(saidSpan({ range: 78_000, until })).toBe("2025-11-12 14:01:51 – 14:03:09");
    expect(saidSpan({ range: DAY, until })).toBe("2025-11-11 14:03 – 2025-11-12 14:03");
  });

  it.each([
    ["", "2025-11-12T14:03", "both fields"],
    ["2025-11-12T14:03", "2025-11-12T14:03:59", "a minute after"],
    ["2025-11-10T14:00", "2025-11-12T14:03", "2 days"],
  ])("from %j to %j is refused", (since, until, why) => {
    expect(read(since, until, 2 * DAY)).toContain(why);
  });
});
