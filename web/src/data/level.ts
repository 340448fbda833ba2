/** Whether a value is one that a person should act on. */
export type Level = "ok" | "warn" | "critical";

export interface Thresholds {
  warn: number | null;
  critical: number | null;
}

export function level(value: number, { warn, critical }: Thresholds): Level {
  if (critical !== null && value >= critical) return "critical";
  return warn !== null && value >= warn ? "warn" : "ok";
}
