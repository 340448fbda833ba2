/** What the service answers to `GET api/boards`: its boards, and what is to be said of its configuration. */
import { boards, type Board } from "./board";
import { integer, list, object, otherwise, text, type Check } from "./check";

/** One thing to correct: file, line and column; key path; what was found and what was expected. */
export interface Fault {
  place: string;
  path: string;
  text: string;
}

export interface Configuration {
  /** Why the newest was refused: the first of `count`. */
  problems: Fault[];
  count: number;
  /** Key paths of settings whose newest values need a restart. */
  waiting: string[];
}

export interface Told {
  boards: Board[];
  configuration: Configuration;
  /** Another one whenever anything of this is. */
  version: string;
}

const fault: Check<Fault> = (value, place) => {
  const found = object(value, place);
  return {
    place: text(found.place, `${place}.place`),
    path: text(found.path, `${place}.path`),
    text: text(found.text, `${place}.text`),
  };
};

const configuration: Check<Configuration> = (value, place) => {
  const found = object(value, place);
  return {
    problems: list(fault)(found.problems, `${place}.problems`),
    count: integer(found.count, `${place}.count`),
    waiting: list(text)(found.waiting, `${place}.waiting`),
  };
};

export const QUIET: Configuration = { problems: [], count: 0, waiting: [] };

/** Raises `WireError`. */
export const told = (answer: unknown): Told => ({
  boards: boards(answer),
  configuration: otherwise(configuration, QUIET)(object(answer, "answer").configuration, "configuration"),
  version: otherwise(text, "")(object(answer, "answer").version, "version"),
});
