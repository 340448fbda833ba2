/** What the dashboard needs of the world; tests pass their own. */
import type { Span } from "../data/span";
import type { Socket } from "../wire/wiring";
import type { Door } from "./member.svelte";

export interface World extends Door {
  liveUrl: string;
  open: (url: string, protocol: string) => Socket;
  openEvents: () => Socket;
  /** Whether the service answers HTTP. */
  answers: () => Promise<boolean>;
  /** Answers `api/boards`. */
  boards: () => Promise<unknown>;
  /** Answers `api/v1/processes` for a time in ms. */
  past: (time: number) => Promise<unknown>;
  /** Answers `api/v1/events` for a range in ms. */
  happened: (from: number, to: number) => Promise<unknown>;
  /** Has the service end the connection of a viewer. Raises an Error that says why it cannot. */
  cut: (session: string) => Promise<void>;
  now: () => number;
  random: () => number;
  /** How many columns a chart has room for. */
  points: () => number;
  /** Keeps what is looked at where a person can share it. */
  remember: (span: Span) => void;
  /** Calls `paint` when the browser next draws, and `painted` when it has. Never while the page is hidden. */
  paint: (paint: () => void, painted: () => void) => void;
}
