/** Marks on the time axis, at round times of the viewer's day. */
const SECOND = 1000;
const INTERVALS = [5, 10, 15, 30, 60, 120, 180, 300, 600, 900].map((seconds) => seconds * SECOND);
/** A mark wants about this many pixels for its label. */
const ROOM = 64;

/** Milliseconds between marks, so that labels have room in `width` pixels. */
export function interval(range: number, width: number): number {
  const least = (range * ROOM) / Math.max(width, ROOM);
  return INTERVALS.find((step) => step >= least) ?? (INTERVALS.at(-1) as number);
}

export function marks(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, i) => first + i * step);
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `14:03` or, with seconds, `14:03:20`, in the viewer's time zone. */
export function clock(time: number, seconds: boolean): string {
  const date = new Date(time);
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${minutes}:${two(date.getSeconds())}` : minutes;
}
