/** Values as people read them: a short number and its unit. */
import type { Unit } from "../wire/board";

/** Split, so that the unit can be set smaller than the number. */
export interface Reading {
  number: string;
  unit: string;
}

interface Notation {
  base: 1000 | 1024;
  /** What stands before the unit at each power of the base, from `power` up. */
  prefixes: readonly string[];
  power: number;
  suffix: string;
}

const DECIMAL = ["", "k", "M", "G", "T", "P"] as const;
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi"] as const;
const SMALL = ["µ", "m", ""] as const;

const decimal = (suffix: string): Notation => ({ base: 1000, prefixes: DECIMAL, power: 0, suffix });
const binary = (suffix: string): Notation => ({ base: 1024, prefixes: BINARY, power: 0, suffix });

const NOTATIONS: Readonly<Record<Exclude<Unit, "ratio">, Notation>> = {
  none: decimal(""),
  count: decimal(""),
  celsius: { ...decimal("°C"), prefixes: [""] },
  bytes: binary("B"),
  bytes_per_second: binary("B/s"),
  bits_per_second: decimal("bit/s"),
  per_second: decimal("/s"),
  seconds: { base: 1000, prefixes: SMALL, power: -2, suffix: "s" },
};

export const NOTHING: Reading = { number: "–", unit: "" };

/** The base that round numbers of a unit are made of. */
export const base = (unit: Unit): 1000 | 1024 => (unit === "ratio" ? 1000 : NOTATIONS[unit].base);

const digits = (value: number, whole: boolean): string => {
  const size = Math.abs(value);
  if (size === 0 || (whole && Number.isInteger(value))) return value.toFixed(0);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
};

const percent = (value: number): string => {
  const hundred = value * 100;
  const size = Math.abs(hundred);
  return hundred.toFixed(size === 0 || size >= 99.95 ? 0 : size >= 0.095 ? 1 : 2);
};

/** Which prefix a value is written with: the largest that leaves at least one before the point. */
function prefixOf(value: number, { base, prefixes, power }: Notation): number {
  let index = 0;
  // 999.6 would be written as "1000", so it goes to the next prefix already.
  while (index < prefixes.length - 1 && Math.abs(value) / base ** (power + index) >= base - 0.5) index += 1;
  return index;
}

/** A value for a legend or a headline; NaN and null read as a dash. */
export function reading(value: number | null, unit: Unit): Reading {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  if (unit === "ratio") return { number: percent(value), unit: "%" };
  const notation = NOTATIONS[unit];
  const index = value === 0 ? -notation.power : prefixOf(value, notation);
  const scaled = value / notation.base ** (notation.power + index);
  const whole = unit === "count" || (unit === "bytes" && index === 0);
  return { number: digits(scaled, whole), unit: `${notation.prefixes[index] ?? ""}${notation.suffix}` };
}

/** `12.3 GiB` has a space; `38.4%`, `12.5k` and `12.5k/s` have none. */
const CLOSE: readonly Unit[] = ["ratio", "none", "count", "per_second"];
const joined = (number: string, suffix: string, unit: Unit): string =>
  suffix === "" || CLOSE.includes(unit) ? number + suffix : `${number}\u00a0${suffix}`;

/** In one string: `38.4%`, `12.3 GiB`, `1.20k/s`. */
export function format(value: number | null, unit: Unit): string {
  const { number, unit: suffix } = reading(value, unit);
  return joined(number, suffix, unit);
}

/** For an axis, where numbers are round: without trailing zeros and without a sign. */
export function tickLabel(value: number, unit: Unit): string {
  if (unit === "ratio") return `${Number((Math.abs(value) * 100).toPrecision(4))}%`;
  const { number, unit: suffix } = reading(Math.abs(value), unit);
  const short = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
  if (value === 0) return "0";
  return joined(short, suffix, unit);
}
