/** Checks of foreign JSON: what is not of the stated shape raises a `WireError` that names the place. */
export class WireError extends Error {
  override name = "WireError";
}

export type Json = Readonly<Record<string, unknown>>;
export type Check<T> = (value: unknown, place: string) => T;

function fail(value: unknown, place: string, wanted: string): never {
  const found = JSON.stringify(value) ?? "nothing";
  throw new WireError(`${place}: ${wanted} expected, not ${found.slice(0, 80)}`);
}

export const object: Check<Json> = (value, place) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : fail(value, place, "an object");

export const text: Check<string> = (value, place) => (typeof value === "string" ? value : fail(value, place, "text"));

export const number: Check<number> = (value, place) =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(value, place, "a number");

export const integer: Check<number> = (value, place) =>
  Number.isSafeInteger(value) ? (value as number) : fail(value, place, "an integer");

export const boolean: Check<boolean> = (value, place) =>
  typeof value === "boolean" ? value : fail(value, place, "true or false");

/** What a table's cell may be. */
export type Cell = string | number | null;
export const cell: Check<Cell> = (value, place) =>
  value === null || typeof value === "string" ? value : number(value, place);

export const list =
  <T>(check: Check<T>): Check<T[]> =>
  (value, place) =>
    Array.isArray(value) ? value.map((entry, i) => check(entry, `${place}[${i}]`)) : fail(value, place, "a list");

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value, place) =>
    value === null || value === undefined ? null : check(value, place);

/** The value, or `fallback` where the key is left out. */
export const otherwise =
  <T>(check: Check<T>, fallback: T): Check<T> =>
  (value, place) =>
    value === undefined ? fallback : check(value, place);

export const oneOf =
  <T extends string | number>(choices: readonly T[]): Check<T> =>
  (value, place) =>
    choices.includes(value as T) ? (value as T) : fail(value, place, `one of ${choices.join(", ")}`);

export const textTable: Check<Readonly<Record<string, string>>> = (value, place) => {
  const found = object(value, place);
  for (const [key, entry] of Object.entries(found)) text(entry, `${place}.${key}`);
  return found as Readonly<Record<string, string>>;
};
