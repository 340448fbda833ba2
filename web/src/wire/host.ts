/** What the service answers about hosts: `api/v1/host` (docs/http-api.md). What nobody tells is null, or empty. */
import { list, nullable, number, object, otherwise, text, type Check } from "./check";

export interface Disk {
  device: string;
  /** Bytes. */
  size: number | null;
  kind: string;
  model: string;
  serial: string;
}

export interface Interface {
  device: string;
  /** Of the hardware. */
  address: string;
  operstate: string;
}

export interface Address {
  device: string;
  /** With the bits of its network. */
  address: string;
  scope: string;
}

export interface TimeZone {
  name: string | null;
  short: string;
  /** Seconds ahead of UTC. */
  offset: number;
}

export interface Host {
  instance: string;
  name: string | null;
  system: string | null;
  kernel: string | null;
  machine: string | null;
  hardware: string | null;
  firmware: string | null;
  virtualization: string | null;
  container: string | null;
  /** When it booted (ms). */
  booted: number | null;
  timeZone: TimeZone | null;
  processor: string | null;
  cores: number | null;
  threads: number | null;
  memory: number | null;
  swap: number | null;
  disks: Disk[];
  interfaces: Interface[];
  /** Null where they were not asked for: of another host, and of the past. */
  addresses: Address[] | null;
  gpus: string[];
}

export interface Hosts {
  /** When it was so (ms). */
  time: number;
  hosts: Host[];
}

const words = nullable(text);
const figure = nullable(number);
const word = otherwise(text, "");

const disk: Check<Disk> = (value, place) => {
  const found = object(value, place);
  return {
    device: text(found.device, `${place}.device`),
    size: figure(found.size, `${place}.size`),
    kind: word(found.kind, `${place}.kind`),
    model: word(found.model, `${place}.model`),
    serial: word(found.serial, `${place}.serial`),
  };
};

const port: Check<Interface> = (value, place) => {
  const found = object(value, place);
  return {
    device: text(found.device, `${place}.device`),
    address: word(found.address, `${place}.address`),
    operstate: word(found.operstate, `${place}.operstate`),
  };
};

const address: Check<Address> = (value, place) => {
  const found = object(value, place);
  return {
    device: text(found.device, `${place}.device`),
    address: text(found.address, `${place}.address`),
    scope: text(found.scope, `${place}.scope`),
  };
};

const zone: Check<TimeZone> = (value, place) => {
  const found = object(value, place);
  return {
    name: words(found.name, `${place}.name`),
    short: text(found.short, `${place}.short`),
    offset: number(found.offset, `${place}.offset`),
  };
};

const gpu: Check<string> = (value, place) => {
  const found = object(value, place);
  return word(found.modelName, `${place}.modelName`) || text(found.gpu, `${place}.gpu`);
};

const host: Check<Host> = (value, place) => {
  const found = object(value, place);
  const of = <T>(check: Check<T>, name: string): T => check(found[name], `${place}.${name}`);
  const booted = of(figure, "booted");
  return {
    instance: of(text, "instance"),
    name: of(words, "name"),
    system: of(words, "system"),
    kernel: of(words, "kernel"),
    machine: of(words, "machine"),
    hardware: of(words, "hardware"),
    firmware: of(words, "firmware"),
    virtualization: of(words, "virtualization"),
    container: of(words, "container"),
    booted: booted === null ? null : Math.round(1000 * booted),
    timeZone: of(nullable(zone), "time_zone"),
    processor: of(words, "processor"),
    cores: of(figure, "cores"),
    threads: of(figure, "threads"),
    memory: of(figure, "memory"),
    swap: of(figure, "swap"),
    disks: of(list(disk), "disks"),
    interfaces: of(list(port), "interfaces"),
    addresses: of(nullable(list(address)), "addresses"),
    gpus: of(list(gpu), "gpus"),
  };
};

/** Raises WireError. */
export function hostsOf(answer: unknown): Hosts {
  const data = object(object(answer, "answer").data, "data");
  return { time: Math.round(1000 * number(data.time, "data.time")), hosts: list(host)(data.hosts, "data.hosts") };
}
