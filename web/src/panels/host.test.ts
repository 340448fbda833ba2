// @vitest-environment jsdom
import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Hosts } from "../state/hosts.svelte";
import { hostsOf, type Host } from "../wire/host";
import { ahead, groups, lasting, written } from "./host";
import HostSheet from "./HostSheet.svelte";

const EVIL = '<img src=x onerror="alert(1)">\u202e';
const BOOTED = 1_764_000_000;
const GIB = 2 ** 30;
const told = (more: object = {}): object => ({
  instance: "web-1",
  name: "web-1",
  system: "Debian GNU/Linux 12 (bookworm)",
  kernel: "6.1.0",
  machine: "x86_64",
  hardware: "Dell Inc. PowerEdge R6515",
  firmware: null,
  virtualization: "kvm",
  container: null,
  booted: BOOTED,
  time_zone: { name: "Europe/Berlin", short: "CET", offset: 3600 },
  processor: "AMD EPYC 7313P",
  cores: 16,
  threads: 32,
  memory: 64 * GIB,
  swap: 0,
  disks: [{ device: "sda", size: 512 * GIB, kind: "SSD", model: "Disk 5", serial: "S1" }, { device: "sdb" }],
  interfaces: [
    { device: "eth0", address: "02:00:00:00:00:01", operstate: "up" },
    { device: "eth1", operstate: "down" },
    { device: "lo", address: "00:00:00:00:00:00", operstate: "unknown" },
  ],
  addresses: [
    { device: "lo", address: "127.0.0.1/8", scope: "host" },
    { device: "eth0", address: "192.0.2.7/24", scope: "global" },
    { device: "eth0", address: "fe80::1/64", scope: "link" },
  ],
  gpus: [{ gpu: "0", modelName: "NVIDIA H100" }],
  ...more,
});
const answer = (...hosts: object[]): object => ({ status: "success", data: { time: BOOTED + 90_000, hosts } });
const hostOf = (more: object = {}): Host => hostsOf(answer(told(more))).hosts[0] as Host;
const shown = (host: Host): Record<string, string[]> =>
  Object.fromEntries(
    groups(host, host.booted === null ? 0 : host.booted + 90_000_000).flatMap(({ facts }) =>
      facts.map(({ name, values }) => [name, values.map(({ text, note }) => (note === undefined ? text : `${text} | ${note}`))]),
    ),
  );
const NOBODY = Object.fromEntries(Object.keys(told()).map((key) => [key, null]));
const SILENT = { ...NOBODY, instance: "rack", disks: [], interfaces: [], gpus: [] };

describe("a host is told", () => {
  it("by its GPUs, equal ones once", () => {
    const gpus = ["H100", "H100", "A2"].map((modelName, i) => ({ gpu: String(i), modelName }));
    expect(shown(hostOf({ gpus })).GPU).toEqual(["2 × H100", "A2"]);
  });

  it("by what it is, in words and figures", () => {
    expect(shown(hostOf())).toMatchObject({
      System: ["Debian GNU/Linux 12 (bookworm)"],
      Kernel: ["6.1.0, x86_64"],
      "Runs in": ["a virtual machine (kvm)"],
      "Time zone": ["Europe/Berlin, CET, UTC+01:00"],
      Booted: [expect.stringMatching(/^2025-11-2\d \d\d:\d\d \| up 1 d 1 h$/)],
      Processor: ["AMD EPYC 7313P", "16 cores, 32 threads"],
      Memory: ["64.0\u00a0GiB"],
      Swap: ["none"],
      GPU: ["NVIDIA H100"],
      sda: ["512\u00a0GiB, SSD, Disk 5, serial S1"],
      sdb: ["–"],
    });
  });

  it("by its addresses, device for device, without what only it can reach", () => {
    const { eth0, eth1, lo } = shown(hostOf());
    expect(eth0).toEqual(["192.0.2.7/24", "fe80::1/64 | link", "02:00:00:00:00:01 | up"]);
    expect(eth1).toEqual(["down"]);
    expect(lo).toBeUndefined();
  });

  it("without groups that nobody tells anything of", () => {
    expect(groups(hostOf(SILENT), 0)).toEqual([]);
    expect(groups(hostOf({ ...SILENT, container: "docker" }), 0)).toEqual([
      { title: "System", facts: [{ name: "Runs in", values: [{ text: "a container (docker)" }] }] },
    ]);
  });

  it("with what deceives written out", () => {
    expect(shown(hostOf({ system: EVIL })).System).toEqual(['<img src=x onerror="alert(1)">\\u202e']);
  });

  it("in lines to copy", () => {
    const text = written(groups(hostOf(), 1000 * BOOTED + 60_000));
    expect(text).toContain("Network\n  eth0: 192.0.2.7/24; fe80::1/64 (link); 02:00:00:00:00:01 (up)\n");
  });

  it.each([
    [59_000, "0 min"],
    [7 * 60_000, "7 min"],
    [312 * 60_000, "5 h 12 min"],
    [76 * 3_600_000, "3 d 4 h"],
    [-5, "0 min"],
  ])("to be up for %i ms as %s", (ms, expected) => expect(lasting(ms)).toBe(expected));

  it.each([
    [19_800, "UTC+05:30"],
    [-12_600, "UTC−03:30"],
    [0, "UTC+00:00"],
  ])("%i s ahead as %s", (seconds, expected) => expect(ahead(seconds)).toBe(expected));
});

it("an answer of another shape is refused with the place", () => {
  expect(() => hostsOf(answer(told({ disks: [{ size: 1 }] })))).toThrow("data.hosts[0].disks[0].device: text expected");
  expect(() => hostsOf(answer(told({ booted: "now" })))).toThrow("data.hosts[0].booted");
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        hostsOf({ data: { time: 1, hosts: [value] } });
      } catch (error) {
        expect((error as Error).name).toBe("WireError");
      }
    }),
  );
});

describe("the sheet", () => {
  beforeEach(() => {
    HTMLDialogElement.prototype.showModal = vi.fn(function (this: HTMLDialogElement) {
      this.open = true;
    });
    HTMLDialogElement.prototype.close = vi.fn(function (this: HTMLDialogElement) {
      this.open = false;
    });
  });
  const show = (ask: (time: number | null) => Promise<unknown>, until: number | null = null): Hosts => {
    const hosts = new Hosts(ask);
    render(HostSheet, { hosts, instance: "web-1", until, open: true });
    return hosts;
  };

  it("asks when it is opened, for the moment that is looked at, and shows names as text", async () => {
    const ask = vi.fn(() => Promise.resolve(answer(told({ instance: EVIL }), told({ system: EVIL }))));
    show(ask, 5000);
    await waitFor(() => expect(screen.getAllByRole("region")).toHaveLength(2));
    expect(ask).toHaveBeenCalledExactlyOnceWith(5000);
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getAllByRole("heading", { level: 3 }).map(({ textContent }) => textContent)).toEqual(["web-1", expect.stringContaining("<img")]);
  });

  it("copies a value, and selects it where it may not", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
    show(() => Promise.resolve(answer(told())));
    await fireEvent.click(await screen.findByRole("button", { name: "Copy 192.0.2.7/24" }));
    expect(writeText).toHaveBeenCalledWith("192.0.2.7/24");
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("Copied."));
    vi.stubGlobal("navigator", {});
    await fireEvent.click(screen.getByRole("button", { name: "Copy 6.1.0, x86_64" }));
    await waitFor(() => expect(screen.getByRole("status").textContent).toContain("Selected"));
    expect(getSelection()?.toString()).toBe("6.1.0, x86_64");
    vi.unstubAllGlobals();
  });

  it("says why there is no answer, and forgets it with the next", async () => {
    let answers = (): Promise<unknown> => Promise.reject(new Error("the archive is busy"));
    const hosts = show(() => answers());
    expect((await screen.findByRole("alert")).textContent).toBe("the archive is busy");
    answers = () => Promise.resolve(answer());
    await hosts.ask(null);
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
    expect(within(screen.getByTestId("host")).getByText("Nothing is known of it at that time.")).toBeTruthy();
  });

  it("is not overtaken by the answer to an older question", async () => {
    const waiting: ((value: unknown) => void)[] = [];
    const hosts = new Hosts(() => new Promise((resolve) => waiting.push(resolve)));
    const asked = [hosts.ask(1), hosts.ask(2)];
    waiting[1]?.(answer(told()));
    waiting[0]?.(answer());
    await Promise.all(asked);
    expect(hosts.answer?.hosts).toHaveLength(1);
  });
});
