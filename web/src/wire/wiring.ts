/** What a connection needs of the world; tests pass their own. */
import type { Sink } from "./feed";

/** waiting: no connection, the next try is at `retryAt`; ended: none until a person asks for it. */
export type Phase = "connecting" | "open" | "waiting" | "ended";

/** What is followed; `range` is how much of the past is wanted (ms), the service's own step where none is given. */
export interface Wish {
  board: string;
  range: number;
  step?: number;
  /** Only what was up to this time is wanted, and nothing follows. */
  until?: number;
}

/** What a WebSocket is here, and what else may stand in its place. */
export interface Socket {
  send: (message: string) => void;
  close: () => void;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export interface Wiring {
  url: string;
  open: (url: string, protocol: string) => Socket;
  /** The same stream without an upgrade. */
  openEvents: () => Socket;
  /** Whether the service answers HTTP. */
  answers: () => Promise<boolean>;
  now: () => number;
  random: () => number;
  sink: Sink;
  /** Something a person may see has changed. */
  changed: () => void;
  /** The service is not the one from before, or has other boards. Nothing is followed until `follow` or `resume` is called. */
  restarted: () => void;
  /** Whether what is known of the service's boards has this version. */
  knows: (configuration: string) => boolean;
  /** The service has other boards, or other news of its configuration. */
  news: () => void;
}
