/** Closing codes of the protocol (docs/protocol.md, rule 6), in words. */
const WORDS: Readonly<Record<number, string>> = {
  1001: "the service is shutting down",
  1006: "the connection was lost",
  1012: "the service is restarting",
  1013: "the service has as many viewers as it takes",
  4008: "this connection was too slow",
  4401: "the credentials have ended",
  4403: "an operator cut this connection",
};

/** Whether the service does not want this page back; a person may still ask for it. */
export const isFinal = (code: number): boolean => code === 4403;

export const closing = (code: number): string => WORDS[code] ?? `the service closed the connection (${code})`;
