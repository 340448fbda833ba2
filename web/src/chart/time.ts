/** Marks on the time axis, at round times of the viewer's day. */
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const INTERVALS = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800].map((seconds) => seconds * SECOND),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 61, 91].map((days) => days * DAY),
];
/** Pixels that a mark wants for its label. */
const MINUTES = 64;
const SECONDS = 96;

/** Whether a time, or a step, is no whole number of minutes. */
export const needsSeconds = (time: number): boolean => time % (60 * SECOND) !== 0;

/** Milliseconds between marks, so that labels have room in `width` pixels. */
export function interval(range: number, width: number): number {
  const fits = (step: number): boolean => (step / range) * width >= (needsSeconds(step) ? SECONDS : MINUTES);
  return INTERVALS.find(fits) ?? range;
}

/** How far the viewer's clock is ahead of UTC (ms) at a time. */
const ahead = (time: number): number => -new Date(time).getTimezoneOffset() * 60 * SECOND;

/** Times within a range that are multiples of the step by the viewer's clock, days and seasons as they are there. */
export function marks(from: number, to: number, step: number): number[] {
  const first = Math.ceil((from + ahead(from)) / step) * step;
  const found: number[] = [];
  for (let local = first; ; local += step) {
    const time = local - ahead(local - ahead(from));
    if (time > to) return found;
    if (time >= from) found.push(time);
  }
}

const two = (n: number): string => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `14:03` or, with seconds, `14:03:20`, in the viewer's time zone. */
export function clock(time: number, seconds: boolean): string {
  const date = new Date(time);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}

/** `12 Nov`. */
export function day(time: number): string {
  const date = new Date(time);
  return `${date.getDate()} ${MONTHS[date.getMonth()] ?? ""}`;
}

/** What stands below a mark: the day at its midnight, else the time of day. */
export function label(time: number, seconds: boolean): string {
  const midnight = (time + ahead(time)) % DAY === 0;
  return midnight ? day(time) : clock(time, seconds);
}

/** A time in full, as far as columns of this step (ms) tell: `14:03:20`, or `12 Nov 2025 14:00`. */
export function moment(time: number, step: number): string {
  if (step < SECOND) return `${clock(time, true)}.${String(Math.floor(time % SECOND)).padStart(3, "0").slice(0, step % 100 === 0 ? 1 : 2)}`;
  if (step < 5 * SECOND) return clock(time, true);
  return `${day(time)} ${new Date(time).getFullYear()} ${clock(time, needsSeconds(step))}`;
}
