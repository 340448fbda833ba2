/** What keeps the page from showing a board, in words for the person in front of it. */
import { WireError } from "../wire/check";
import type { Refusal } from "../wire/messages";

export interface Problem {
  title: string;
  detail: string;
  /** What the button says that tries again. */
  again?: string;
}

export class HttpError extends Error {
  override name = "HttpError";
  constructor(readonly status: number) {
    super(`status ${status}`);
  }
}

export function loading(error: unknown): Problem {
  if (error instanceof HttpError) {
    return { title: "The service refused the list of boards", detail: `It answered with status ${error.status}.` };
  }
  if (error instanceof WireError || error instanceof SyntaxError) {
    return { title: "The service sent something else than boards", detail: error.message };
  }
  return { title: "The service cannot be reached", detail: "Is it running, and is the network up?" };
}

export function missing(name: string, known: readonly string[]): Problem {
  const others = known.length === 0 ? "The service has none." : `There is: ${known.join(", ")}.`;
  return { title: `There is no board named “${name}”`, detail: others };
}

export const ended = (reason: string): Problem => ({
  title: "This page is not connected any more",
  detail: `The reason: ${reason}. It does not come back by itself.`,
  again: "Connect again",
});

export function refused({ code, message, query, position }: Refusal): Problem {
  const place = query === null ? "" : ` (query ${query + 1}${position === null ? "" : `, character ${position + 1}`})`;
  return { title: "The service refused this board", detail: `${message}${place} [${code}]` };
}
