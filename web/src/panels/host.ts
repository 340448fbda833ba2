/** What a host is, in words: a few groups of facts, each with values that can be copied. */
import { shown } from "../data/legend";
import { format } from "../data/units";
import type { Address, Disk, Host, Interface, TimeZone } from "../wire/host";
import { said } from "./times";

export interface Value {
  text: string;
  /** What is no part of it. */
  note?: string;
}

export interface Fact {
  name: string;
  values: Value[];
}

export interface Group {
  title: string;
  facts: Fact[];
}

/** Without one of its own. */
const NO_ADDRESS = /^(00:)*00$/;

/** `3 d 4 h`, `5 h 12 min`, `7 min`. */
export function lasting(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `UTC+05:30`. */
export function ahead(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `UTC${seconds < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const fact = (name: string, ...values: (string | null)[]): Fact[] => {
  const known = values.filter((value) => value !== null && value !== "").map((value) => ({ text: shown(value ?? "") }));
  return known.length > 0 ? [{ name, values: known }] : [];
};
const listed = (...parts: (string | null)[]): string => parts.filter((part) => part !== null && part !== "").join(", ");
/** Equal ones once, with their number. */
const gathered = (all: readonly string[]): string[] =>
  [...new Set(all)].map((each) => [all.filter((other) => other === each).length, each] as const).map(([count, each]) => (count > 1 ? `${count} × ${each}` : each));
const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? "" : "s"}`;
const bytes = (value: number | null): string | null => (value === null ? null : format(value, "bytes"));

const zone = ({ name, short, offset }: TimeZone): string => listed(name, name?.endsWith(short) === true ? "" : short, ahead(offset));

function place({ virtualization, container }: Host): string {
  const machine = virtualization === null || virtualization === "none" ? "" : virtualization;
  return listed(
    container !== null ? `a container (${container})` : "",
    machine === "" || machine === container ? "" : `a virtual machine${machine === "other" ? "" : ` (${machine})`}`,
  );
}

const processor = ({ cores, threads }: Host): string =>
  listed(cores === null ? "" : counted(cores, "core"), threads === null ? "" : counted(threads, "thread"));

const disk = ({ device, size, kind, model, serial }: Disk): Fact[] => [
  { name: shown(device), values: [{ text: shown(listed(bytes(size), kind, model, serial === "" ? "" : `serial ${serial}`)) || "–" }] },
];

/** One device: its addresses, then that of the hardware. */
function port(device: string, addresses: readonly Address[], hardware: Interface | undefined): Fact[] {
  const values: Value[] = addresses.map(({ address, scope }) => (scope === "global" ? { text: address } : { text: address, note: scope }));
  const { address = "", operstate = "" } = hardware ?? {};
  const state = operstate === "" || operstate === "unknown" ? {} : { note: operstate };
  if (address !== "" && !NO_ADDRESS.test(address)) values.push({ text: address, ...state });
  else if (values.length === 0 && operstate !== "") values.push({ text: operstate });
  return values.length === 0 ? [] : [{ name: shown(device), values: values.map((each) => ({ ...each, text: shown(each.text) })) }];
}

/** By device, those with an address first; what only the host itself can reach is left out. */
function network({ addresses, interfaces }: Host): Fact[] {
  const reachable = (addresses ?? []).filter(({ scope }) => scope !== "host");
  const devices = new Set([...reachable, ...interfaces].map(({ device }) => device));
  devices.delete("lo");
  return [...devices].flatMap((name) =>
    port(name, reachable.filter(({ device }) => device === name), interfaces.find(({ device }) => device === name)),
  );
}

/** At a time (ms). Groups without facts are left out. */
export function groups(host: Host, time: number): Group[] {
  const { booted } = host;
  const found: Group[] = [
    {
      title: "System",
      facts: [
        ...fact("Host name", host.name),
        ...fact("System", host.system),
        ...fact("Kernel", listed(host.kernel, host.machine)),
        ...fact("Runs in", place(host)),
        ...fact("Time zone", host.timeZone === null ? null : zone(host.timeZone)),
        ...(booted === null ? [] : [{ name: "Booted", values: [{ text: said(booted), note: `up ${lasting(time - booted)}` }] }]),
      ],
    },
    {
      title: "Hardware",
      facts: [
        ...fact("Machine", host.hardware),
        ...fact("Firmware", host.firmware),
        ...fact("Processor", host.processor, processor(host)),
        ...fact("Memory", bytes(host.memory)),
        ...fact("Swap", host.swap === 0 ? "none" : bytes(host.swap)),
        ...fact("GPU", ...gathered(host.gpus)),
      ],
    },
    { title: "Disks", facts: host.disks.flatMap(disk) },
    { title: "Network", facts: network(host) },
  ];
  return found.filter(({ facts }) => facts.length > 0);
}

/** All of it as lines of text. */
export const written = (found: readonly Group[]): string =>
  found
    .map(({ title, facts }) => `${title}\n${facts.map(({ name, values }) => `  ${name}: ${values.map(line).join("; ")}\n`).join("")}`)
    .join("\n");

const line = ({ text, note }: Value): string => (note === undefined ? text : `${text} (${note})`);
