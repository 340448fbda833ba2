/** What happened to history and to what is watched: the answer of `api/v1/events` (docs/http-api.md). */
import { list, number, object, text } from "./check";

/** Times in ms; a moment ends when it begins. */
export interface Happened {
  time: number;
  end: number;
  /** `gap`, `clock`, `damage`, `paused`, or one that a later service knows. */
  kind: string;
  text: string;
}

/** Raises WireError. */
export function happened(answer: unknown): Happened[] {
  return list(object)(object(answer, "answer").data, "data").map((event, i) => ({
    time: Math.round(number(event.time, `data[${i}].time`) * 1000),
    end: Math.round(number(event.end, `data[${i}].end`) * 1000),
    kind: text(event.kind, `data[${i}].kind`),
    text: text(event.text, `data[${i}].text`),
  }));
}
