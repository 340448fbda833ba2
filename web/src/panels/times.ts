/** Times as people read and enter them, by their own clock. */
import type { Span } from "../data/span";

const two = (n: number): string => String(n).padStart(2, "0");

/** As a field for a day and a time wants it. */
export function entered(time: number): string {
  const at = new Date(time);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** As it is said: `2025-11-12 14:03`. */
export const said = (time: number): string => entered(time).replace("T", " ").slice(0, 16);

/** The day once where both ends are of one, and seconds where minutes would tell too little of it. */
export function saidSpan({ range, until }: { range: number; until: number }): string {
  const [from, to] = [until - range, until].map((time) => entered(time).replace("T", " ").slice(0, range < 600_000 ? 19 : 16));
  const sameDay = from?.slice(0, 10) === to?.slice(0, 10);
  return `${from ?? ""} – ${(sameDay ? to?.slice(11) : to) ?? ""}`;
}

/** What was entered, or what is wrong with it. */
export function read(since: string, until: string, longest: number): Span | string {
  const [from, to] = [new Date(since).getTime(), new Date(until).getTime()];
  if (Number.isNaN(from) || Number.isNaN(to)) return "Enter a day and a time in both fields.";
  if (to - from < 60_000) return "The end has to be a minute after the beginning, or more.";
  if (to - from > longest) return `At most ${Math.floor(longest / 86_400_000)} days can be shown at once.`;
  return { range: to - from, until: to };
}
