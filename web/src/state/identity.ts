/** Who this is, to the service; and how to become somebody (docs/access.md). */
import { boolean, list, nullable, object, text } from "../wire/check";
import { HttpError } from "./problem";

export interface Identity {
  /** Empty for whoever has not logged in. */
  name: string;
  role: string | null;
  may: readonly string[];
  /** Whether anybody has a password. */
  users: boolean;
}

const PLACE = "api/session";
const PATIENCE = 10_000;

export function identity(told: unknown): Identity {
  const found = object(told, "session");
  return {
    name: text(found.name, "session.name"),
    role: nullable(text)(found.role, "session.role"),
    may: list(text)(found.may, "session.may"),
    users: boolean(found.users, "session.users"),
  };
}

export const mayLook = ({ may }: Identity): boolean => may.includes("view");

export async function who(): Promise<Identity> {
  const answer = await fetch(PLACE, { signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new HttpError(answer.status);
  return identity(await answer.json());
}

/** Why it did not work, in words; empty where it did. */
export async function logIn(name: string, password: string): Promise<string> {
  try {
    const answer = await fetch(PLACE, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, password }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    return answer.ok ? "" : await reason(answer);
  } catch {
    return "The service cannot be reached.";
  }
}

export async function logOut(): Promise<void> {
  const answer = await fetch(PLACE, { method: "DELETE", signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new HttpError(answer.status);
}

/** The service's own words, where it has some. */
async function reason(answer: Response): Promise<string> {
  try {
    return text(object(object(await answer.json(), "answer").error, "error").message, "message");
  } catch {
    return `The service answered with status ${answer.status}.`;
  }
}
