/** A burst as charts: what is asked of it, and which part of it is looked at. */
import type { Panel, Query, Role, Unit } from "../wire/board";
import type { Burst, Found } from "../wire/bursts";
import type { Series } from "../wire/messages";
import { Window } from "./window";

/** Samples that a rate goes over: fewer would show the ticks in which the kernel counts. */
const SAMPLES = 5;
/** The shortest part (ms) that is looked at. */
const LEAST = 2000;

const asked = (query: string, legend: string, role: Role = "value"): Query => ({ query, legend, role });

function panel(title: string, kind: Panel["kind"], unit: Unit, max: number | null, queries: Query[]): Panel {
  return { title, kind, unit, max, queries, section: null, min: 0, warn: null, critical: null, width: 1, needs: "" };
}

/** The charts of a burst whose samples are `step` ms apart. */
export function panelsOf(step: number): Panel[] {
  const over = `[${SAMPLES * step}ms]`;
  const pressure = (resource: string): Query =>
    asked(`clamp_max(rate(node_pressure_${resource}_waiting_seconds_total${over}), 1)`, resource);
  return [
    panel("CPU", "stacked", "ratio", 1, [
      asked(`avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}${over}))`, "{{mode}}"),
    ]),
    panel("Processes", "line", "count", null, [
      asked("node_procs_running", "run or wait for a CPU"),
      asked("node_procs_blocked", "wait for a disk"),
    ]),
    panel("Pressure", "line", "ratio", null, ["cpu", "memory", "io"].map(pressure)),
    panel("Network", "line", "bytes_per_second", null, [
      asked(`rate(node_network_receive_bytes_total{device!="lo"}${over})`, "{{device}} in"),
      asked(`rate(node_network_transmit_bytes_total{device!="lo"}${over})`, "{{device}} out", "mirror"),
    ]),
    panel("Disks", "line", "bytes_per_second", null, [
      asked(`rate(node_disk_read_bytes_total${over})`, "{{device}} read"),
      asked(`rate(node_disk_written_bytes_total${over})`, "{{device}} written", "mirror"),
    ]),
    panel("Disks busy", "line", "ratio", 1, [asked(`clamp_max(rate(node_disk_io_time_seconds_total${over}), 1)`, "{{device}}")]),
  ];
}

/** The grid (ms) on which a burst is asked: whole steps, as a window's columns are. */
export function gridOf({ start, end, step }: Burst): { start: number; end: number } {
  return { start: Math.ceil(start / step) * step, end: Math.ceil(end / step) * step };
}

/** What was found for each query, in a window of its own. */
export function windowOf(burst: Burst, found: readonly (readonly Found[])[]): Window {
  const { start, end } = gridOf(burst);
  const { step } = burst;
  const t = Array.from({ length: (end - start) / step + 1 }, (_, i) => start + i * step);
  const series: Series[] = [];
  const v: (number | null)[][] = [];
  found.forEach((rows, query) => {
    for (const { labels, points } of rows) {
      const values = new Array<number | null>(t.length).fill(null);
      for (const [time, value] of points) values[Math.round((time - start) / step)] = value;
      series.push({ query, labels });
      v.push(values);
    }
  });
  const window = new Window(end - start);
  window.absorb(series, { t, v }, step);
  return window;
}

/** The part from `from` to `to` (ms). */
export interface Part {
  from: number;
  to: number;
}

/** What can be looked at, in samples that are `step` ms apart. */
export interface Whole extends Part {
  step: number;
}

/** A part of this length around a middle, within the whole; it begins and ends with a sample. */
function part(middle: number, length: number, whole: Whole): Part {
  const grid = (time: number): number => Math.round(time / whole.step) * whole.step;
  const range = Math.min(Math.max(grid(length), LEAST), whole.to - whole.from);
  const from = Math.min(Math.max(grid(middle - range / 2), whole.from), whole.to - range);
  return { from, to: from + range };
}

/** Longer by the factor, around a time or its own middle. */
export function zoomed({ from, to }: Part, factor: number, around: number | null, whole: Whole): Part {
  return part(around ?? (from + to) / 2, (to - from) * factor, whole);
}

/** A quarter of it earlier or later. */
export function slid({ from, to }: Part, direction: -1 | 1, whole: Whole): Part {
  const range = to - from;
  return part((from + to) / 2 + (direction * range) / 4, range, whole);
}
