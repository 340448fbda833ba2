/** The sign that cannot lie: what may be said about the picture, from facts on monotonic clocks only. */
import type { Phase } from "../wire/wiring";

export interface Facts {
  phase: Phase;
  paused: boolean;
  /** Age (ms) of the newest sample received, by the server's clock; null before the first. */
  age: number | null;
  /** Age (ms) of the newest sample on the screen, which pausing holds back. */
  shownAge: number;
  /** How old (ms) the newest sample may be while all is well. */
  limit: number;
  /** Whether a part of the past is on the screen that has ended. */
  past?: boolean;
  /** Milliseconds that a column stands for, where that is more than a sample; else 0. */
  step?: number;
  /** Milliseconds to the next try, where there is no connection. */
  wait: number;
}

export type Sign =
  | { kind: "connecting" }
  | { kind: "live"; age: number; step?: number }
  | { kind: "paused"; age: number }
  | { kind: "stale"; age: number }
  | { kind: "past" }
  | { kind: "reconnecting"; wait: number }
  | { kind: "ended" };

export const isStale = ({ age, limit }: Facts): boolean => age !== null && age > limit;

export function sign(facts: Facts): Sign {
  const { phase, paused, age, shownAge, wait } = facts;
  if (phase === "ended") return { kind: "ended" };
  if (phase === "waiting" && wait > 0) return { kind: "reconnecting", wait };
  if (phase === "open" && facts.past === true) return { kind: "past" };
  if (phase !== "open" && (age === null || isStale(facts))) {
    return age === null ? { kind: "connecting" } : { kind: "reconnecting", wait: 0 };
  }
  if (age === null) return { kind: "connecting" };
  if (isStale(facts)) return { kind: "stale", age };
  if (paused) return { kind: "paused", age: shownAge };
  return facts.step ? { kind: "live", age, step: facts.step } : { kind: "live", age };
}
