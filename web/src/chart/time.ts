/** Marks on the time axis, at round times of the viewer's day. */
const SECOND = 1000;
const INTERVALS = [5, 10, 15, 30, 60, 120, 180, 300, 600, 900].map((seconds) => seconds * SECOND);
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
