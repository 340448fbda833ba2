/** Which part of time is on the screen, and in what steps it is asked for. */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `range` ms up to `until` (ms since 1970), or up to now and on where that is null. */
export interface Span {
  range: number;
  until: number | null;
}

/** Up to here a chart has every sample. */
export const LONGEST_LIVE = 15 * MINUTE;

export const RANGES: readonly { range: number; name: string; key: string }[] = [
  { range: MINUTE, name: "1 min", key: "1m" },
  { range: 5 * MINUTE, name: "5 min", key: "5m" },
  { range: 15 * MINUTE, name: "15 min", key: "15m" },
  { range: HOUR, name: "1 hour", key: "1h" },
  { range: 6 * HOUR, name: "6 hours", key: "6h" },
  { range: DAY, name: "24 hours", key: "24h" },
  { range: 7 * DAY, name: "7 days", key: "7d" },
  { range: 30 * DAY, name: "30 days", key: "30d" },
  { range: 365 * DAY, name: "1 year", key: "1y" },
];

/** Steps that whole minutes, hours and days are made of, so that rolled-up rows tell what samples would. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 30].map((n) => n * DAY),
];

/** The shortest step (ms) that is a multiple of `base` and makes at most `points` columns of a range. */
export function stepFor(range: number, points: number, base: number): number {
  const fits = STEPS.find((step) => step % base === 0 && range / step <= points);
  return fits ?? Math.ceil(range / points / base) * base;
}

const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, y: 365 * DAY };

/** What an address says; null where it says nothing that is understood. */
export function spanOf(search: string): Span | null {
  const asked = new URLSearchParams(search);
  const [, count, unit] = /^(\d{1,6})([smhdy])$/.exec(asked.get("range") ?? "") ?? [];
  const range = Number(count) * (UNITS[unit ?? ""] ?? NaN);
  if (!(range >= MINUTE)) return null;
  const until = Date.parse(asked.get("until") ?? "");
  return { range, until: Number.isNaN(until) ? null : until };
}

/** What an address has to say for a span to be found again; nothing for the range that a page begins with. */
export function searchOf({ range, until }: Span, usual: number): string {
  if (range === usual && until === null) return "";
  const known = RANGES.find((one) => one.range === range)?.key ?? `${Math.round(range / SECOND)}s`;
  const asked = new URLSearchParams({ range: known });
  if (until !== null) asked.set("until", new Date(until).toISOString());
  return `?${asked.toString()}`;
}

/** A part that was drawn over, no shorter than a minute and no later than now. */
export function drawn(from: number, to: number, now: number): Span {
  const range = Math.max(MINUTE, Math.round((to - from) / SECOND) * SECOND);
  const until = Math.min((from + to + range) / 2, now);
  return { range, until: Math.round(until / SECOND) * SECOND };
}

/** A range `factor` times as long, in which the time `around` keeps its place; without one, the end does. */
export function zoomed({ range, until }: Span, factor: number, around: number | null, now: number, longest: number): Span {
  const next = Math.round(Math.min(Math.max(range * factor, MINUTE), longest) / SECOND) * SECOND;
  const end = until ?? now;
  const about = Math.min(around ?? end, end);
  const ends = about + (end - about) * (next / range);
  return { range: next, until: ends >= now ? null : Math.round(ends / SECOND) * SECOND };
}

/** Half a range earlier or later; now and on where that would be in the future. */
export function moved({ range, until }: Span, direction: -1 | 1, now: number): Span {
  const next = (until ?? now) + (direction * range) / 2;
  return { range, until: next >= now ? null : Math.round(next / SECOND) * SECOND };
}
