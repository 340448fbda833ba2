/** What a connection needs of the world; tests pass their own. */
import type { Sink } from "./feed";

export type Socket = Pick<WebSocket, "send" | "close" | "onopen" | "onmessage" | "onclose">;

export interface Wiring {
  url: string;
  open: (url: string, protocol: string) => Socket;
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
