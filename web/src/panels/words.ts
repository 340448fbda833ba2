/** What the sign says, in words and figures. */
import type { Sign } from "../state/sign";

export interface Words {
  /** One word, in capitals on the page. */
  state: string;
  figure: string;
}

/** Below a minute in seconds with one decimal, then as minutes, hours and days. */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
] as const;

/** `1 h`: what columns stand for. */
export function stepWords(ms: number): string {
  const [unit, name] = UNITS.find(([size]) => ms % size === 0) ?? [1000, "s"];
  return `${ms / unit} ${name}`;
}

export function words(sign: Sign): Words {
  switch (sign.kind) {
    case "connecting":
    case "ended":
    case "past":
      return { state: sign.kind, figure: "" };
    case "live":
      // The newest of such columns is as old as a step by design.
      return { state: sign.kind, figure: sign.step === undefined ? `${duration(sign.age)} old` : `${stepWords(sign.step)} steps` };
    case "paused":
    case "stale":
      return { state: sign.kind, figure: `${duration(sign.age)} old` };
    case "reconnecting":
      return { state: sign.kind, figure: sign.wait > 0 ? `in ${Math.ceil(sign.wait / 1000)} s` : "now" };
  }
}
