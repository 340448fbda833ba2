/** What the service answers about bursts (docs/http-api.md), in ms. */
import { boolean, list, number, object, text, textTable, type Check } from "./check";

export interface Burst {
  id: string;
  reason: string;
  /** When it was kept. */
  time: number;
  start: number;
  end: number;
  /** Between two samples. */
  step: number;
}

export interface Recording {
  enabled: boolean;
  length: number;
  step: number;
  /** Share of a core that recording takes. */
  cost: number;
  bursts: Burst[];
}

/** One series of a range query: its points in time, and its values there. */
export interface Found {
  labels: Readonly<Record<string, string>>;
  points: [time: number, value: number][];
}

const milliseconds: Check<number> = (value, place) => Math.round(1000 * number(value, place));

const burst: Check<Burst> = (value, place) => {
  const found = object(value, place);
  return {
    id: text(found.id, `${place}.id`),
    reason: text(found.reason, `${place}.reason`),
    time: milliseconds(found.time, `${place}.time`),
    start: milliseconds(found.start, `${place}.start`),
    end: milliseconds(found.end, `${place}.end`),
    step: milliseconds(found.step, `${place}.step`),
  };
};

const dataOf = (answer: unknown): unknown => object(answer, "answer").data;

export function recordingOf(answer: unknown): Recording {
  const data = object(dataOf(answer), "data");
  return {
    enabled: boolean(data.enabled, "data.enabled"),
    length: milliseconds(data.length, "data.length"),
    step: milliseconds(data.step, "data.step"),
    cost: number(data.cost, "data.cost"),
    bursts: list(burst)(data.bursts, "data.bursts"),
  };
}

export const keptOf = (answer: unknown): Burst => burst(dataOf(answer), "data");

const point: Check<[number, number]> = (value, place) => {
  const [time, written] = Array.isArray(value) ? (value as unknown[]) : [];
  return [milliseconds(time, `${place}[0]`), Number(text(written, `${place}[1]`))];
};

const found: Check<Found> = (value, place) => {
  const { metric, values } = object(value, place);
  return { labels: textTable(metric, `${place}.metric`), points: list(point)(values, `${place}.values`) };
};

export const matrixOf = (answer: unknown): Found[] => list(found)(object(dataOf(answer), "data").result, "data.result");
