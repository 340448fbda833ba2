/** The columns of the processes, in words and figures, and what is said of looking at them. */
import { format } from "../data/units";
import type { Process } from "../state/processes.svelte";
import type { View } from "../wire/messages";
import { duration } from "./words";

export interface Column {
  key: keyof Process;
  title: string;
  /** Numbers are set right, and sorted from the largest at first. */
  figure?: boolean;
  /** Left out where there is little room. */
  wide?: boolean;
  /** `time` (ms) is when it was so. */
  text: (process: Process, time: number) => string;
}

const STATES: Readonly<Record<string, string>> = {
  R: "runs",
  S: "sleeps",
  D: "waits",
  I: "idle",
  Z: "zombie",
  T: "stopped",
  t: "traced",
};

const rate = (value: number | null): string => (value === 0 ? "–" : format(value, "bytes_per_second"));
const age = (start: number | null, time: number): string => (start === null ? "–" : duration(Math.max(0, time - start)));

export const COLUMNS: readonly Column[] = [
  { key: "pid", title: "PID", figure: true, wide: true, text: ({ pid }) => String(pid) },
  { key: "user", title: "User", wide: true, text: ({ user }) => user || "–" },
  { key: "unit", title: "Unit or container", wide: true, text: ({ unit }) => unit || "–" },
  { key: "state", title: "State", wide: true, text: ({ state }) => STATES[state] ?? (state || "–") },
  { key: "cpu", title: "CPU", figure: true, text: ({ cpu }) => format(cpu, "ratio") },
  { key: "memory", title: "Memory", figure: true, text: ({ memory }) => format(memory, "bytes") },
  { key: "read", title: "Read", figure: true, wide: true, text: ({ read }) => rate(read) },
  { key: "write", title: "Write", figure: true, wide: true, text: ({ write }) => rate(write) },
  { key: "threads", title: "Threads", figure: true, wide: true, text: ({ threads }) => format(threads, "count") },
  { key: "start", title: "Runs for", figure: true, wide: true, text: ({ start }, time) => age(start, time) },
];

/** Those that a view wants, in its order: the service does that with the present, and what was kept of a moment is short. */
export function chosen(all: readonly Process[], { sort, descending, filter }: View): Process[] {
  const text = filter.toLowerCase();
  const has = ({ command, user, unit, pid }: Process): boolean =>
    [command, user, unit].some((each) => each.toLowerCase().includes(text)) || String(pid) === text;
  const value = (process: Process): number | string => process[sort as keyof Process] ?? -1;
  const order = (a: Process, b: Process): number => {
    const [first, second] = [value(a), value(b)];
    return (first < second ? -1 : first > second ? 1 : a.pid - b.pid) * (descending ? -1 : 1);
  };
  return all.filter(has).sort(order);
}

/** What a person should know of how they are looked at. */
export function told(about: Readonly<Record<string, number>>): string[] {
  const { off, slowed, whole, interval = 0, cost = 0 } = about;
  if (off === 1) return ["Processes are not looked at: collect.collectors.process_groups is switched off."];
  const said = [];
  if (slowed === 1) {
    const every = `every ${duration(interval)}`;
    said.push(`Looked at ${every} only: a look takes ${cost.toFixed(0)} ms of CPU time, more than its budget.`);
  }
  if (whole === 0) said.push("The kernel shows the service no processes of other users (hidepid).");
  return said;
}
