/** The page's keys. */
export type Action = { do: "pause" } | { do: "theme" } | { do: "keys" } | { do: "viewers" } | { do: "processes" } | { do: "then" } | { do: "bursts" } | { do: "host" } | { do: "earlier" } | { do: "later" } | { do: "now" } | { do: "zoom"; factor: number } | { do: "range"; range: number };

export const KEYS: readonly { key: string; means: string }[] = [
  { key: "Space", means: "Pause or go on" },
  { key: "1 … 9", means: "1, 5 or 15 minutes, and longer, up to a year" },
  { key: "[  ]", means: "Earlier, later" },
  { key: "+  −", means: "Nearer, farther around the cursor; also draw over a chart, or press it twice" },
  { key: "N", means: "Now" },
  { key: "T", means: "Dark or light" },
  { key: "I", means: "What this host is" },
  { key: "P", means: "What runs" },
  { key: "W", means: "What ran at the cursor of a chart" },
  { key: "V", means: "Who watches" },
  { key: "B", means: "Bursts; in one, + and − zoom, 0 shows all" },
  { key: "←  →", means: "Move the cursor of a focused chart" },
  { key: "?", means: "These keys" },
];

/** What a key asks for; null while the person is on something that uses the key itself. */
export function keyAction(event: KeyboardEvent): Action | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return null;
  const focused = event.target instanceof Element ? event.target : null;
  if (focused?.closest("input, select, textarea, dialog") && event.key !== "?") return null;
  switch (event.key.toLowerCase()) {
    case " ":
      return focused?.closest("button, a") ? null : { do: "pause" };
    case "1":
    case "2":
    case "3":
    case "4":
    case "5":
    case "6":
    case "7":
    case "8":
    case "9":
      return { do: "range", range: Number(event.key) - 1 };
    case "t":
      return { do: "theme" };
    case "p":
      return { do: "processes" };
    case "w":
      return { do: "then" };
    case "[":
      return { do: "earlier" };
    case "]":
      return { do: "later" };
    case "+":
    case "=":
      return { do: "zoom", factor: 0.5 };
    case "-":
      return { do: "zoom", factor: 2 };
    case "b":
      return { do: "bursts" };
    case "i":
      return { do: "host" };
    case "n":
      return { do: "now" };
    case "v":
      return { do: "viewers" };
    case "?":
      return { do: "keys" };
    default:
      return null;
  }
}
