/** What the sign says, in words and figures. */
import type { Sign } from "../state/sign";

export interface Words {
  /** One word, in capitals on the page. */
  state: string;
  figure: string;
}

/** Below a minute in seconds with one decimal, then as minutes and hours. */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function words(sign: Sign): Words {
  switch (sign.kind) {
    case "connecting":
    case "ended":
    case "past":
      return { state: sign.kind, figure: "" };
    case "live":
    case "paused":
    case "stale":
      return { state: sign.kind, figure: `${duration(sign.age)} old` };
    case "reconnecting":
      return { state: sign.kind, figure: sign.wait > 0 ? `in ${Math.ceil(sign.wait / 1000)} s` : "now" };
  }
}
