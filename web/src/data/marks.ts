/** Which of what happened belongs to what is on the screen. */
import type { Happened } from "../wire/happened";

/** Whether it took time, or is of a moment. */
export const lasts = ({ time, end }: Happened): boolean => end > time;

/** Those that touch a range of time (ms). */
export const within = (all: readonly Happened[], from: number, to: number): Happened[] =>
  all.filter(({ time, end }) => time <= to && end >= from);

/** The one at a time (ms), where columns are so many ms apart: a moment goes before what lasts. */
export function markAt(all: readonly Happened[], time: number, step: number): Happened | null {
  const near = within(all, time - step / 2, time + step / 2);
  return near.find((one) => !lasts(one)) ?? near[0] ?? null;
}
