// @vitest-environment jsdom
import { fireEvent, render, screen } from "@testing-library/svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PALETTES } from "../chart/palette";
import { linesOf } from "../chart/lines";
import { Frame } from "../data/frame";
import { Window } from "../data/window";
import { at, STEP } from "../testing/service";
import { boards, type Board } from "../wire/board";
import Bars from "./Bars.svelte";
import HeadlineCell from "./HeadlineCell.svelte";
import KeySheet from "./KeySheet.svelte";
import { keyAction } from "./keys";
import { sections } from "./layout";
import Legend from "./Legend.svelte";
import ProblemCard from "./ProblemCard.svelte";
import SignBadge from "./SignBadge.svelte";
import { chartSummary } from "./summary";
import { duration, words } from "./words";

const EVIL = '<img src=x onerror="alert(1)">';
const queries = [{ query: "q", legend: "{{device}}" }];
const [board] = boards({
  boards: [
    {
      name: "b",
      title: "B",
      headline: [{ title: "Disk", unit: "ratio", warn: 0.8, critical: 0.95, queries, details: [{ query: "q", legend: "{{value}} cores" }] }],
      panels: [
        { title: "one", section: "A", queries },
        { title: "two", section: "A", queries },
        { title: "three", queries },
        { title: "four", section: "A", queries },
      ],
    },
  ],
}) as [Board];
const [headline] = board.headline as [Board["headline"][number]];
const [panel] = board.panels as [Board["panels"][number]];

function frameOf(values: [query: number, device: string, value: number][]): Frame {
  const window = new Window(10 * STEP);
  window.append(values.map(([query, device]) => ({ query, labels: { device } })), at(0).t, values.map(([, , value]) => value));
  return new Frame(window, 5 * STEP);
}

beforeEach(() => {
  vi.stubGlobal("ResizeObserver", class { observe(): void {} unobserve(): void {} disconnect(): void {} });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});

describe("a headline", () => {
  const show = (values: [number, string, number][]): HTMLElement => {
    render(HeadlineCell, { headline, offset: 0, frame: frameOf(values), palette: PALETTES.dark });
    return screen.getByTestId("headline");
  };

  it("says the largest value, whose it is, and the detail", () => {
    const cell = show([[0, "sda", 0.2], [0, "sdb", 0.4], [1, "", 8]]);
    expect(cell.textContent).toContain("40.0%");
    expect(cell.textContent).toContain("sdb · 8.00 cores");
    expect(cell.className).toContain("ok");
  });

  it.each([
    [0.8, "warn", "high"],
    [0.97, "critical", "critical"],
  ])("of %s is marked %s, in words too", (value, level, word) => {
    const cell = show([[0, "sda", value]]);
    expect(cell.className).toContain(level);
    expect(cell.textContent).toContain(word);
  });

  it("is a dash without values", () => {
    expect(show([]).textContent).toContain("–");
  });
});

describe("bars", () => {
  const widths = (more: object, ...values: number[]): string[] => {
    const frame = frameOf(values.map((value, i) => [0, `d${i}`, value]));
    const bars = { ...panel, min: null, max: null, ...more };
    const { container } = render(Bars, { panel: bars, lines: linesOf(bars, 0, frame), frame, palette: PALETTES.dark, time: null });
    return [...container.querySelectorAll<HTMLElement>(".bar")].map(({ style }) => style.width);
  };

  it("reach to the largest of them where nothing else is said", () => {
    expect(widths({ unit: "count" }, 5, 20)).toEqual(["100%", "25%"]);
    expect(widths({ unit: "count", max: 40 }, 5, 20)).toEqual(["50%", "12.5%"]);
    expect(widths({ unit: "count" }, 0)).toEqual(["0%"]);
  });

  it("are shares of the whole where they are shares", () => {
    expect(widths({ unit: "ratio" }, 0.25)).toEqual(["25%"]);
  });
});

describe("what is gone", () => {
  const frame = frameOf([[0, "sda", NaN], [0, "sdb", 1]]);
  const lines = linesOf(panel, 0, frame);

  it("is last in a legend", () => {
    render(Legend, { panel, lines, frame, palette: PALETTES.dark, time: null });
    expect(screen.getAllByRole("button").map((each) => each.textContent.trim())).toEqual(["sdb 1.00", "sda –"]);
  });

  it("has no bar", () => {
    render(Bars, { panel, lines, frame, palette: PALETTES.dark, time: null });
    expect(screen.getAllByRole("listitem").map((each) => each.textContent.trim())).toEqual(["sdb 1.00"]);
  });
});

describe("what a label says", () => {
  it("is whole for who listens, and shows its end where it is long", () => {
    const name = "compose-project-with-a-long-name-worker-17";
    const frame = frameOf([[0, name, 1]]);
    const { container } = render(Legend, { panel, lines: linesOf(panel, 0, frame), frame, palette: PALETTES.dark, time: null });
    expect(screen.getByRole("button", { name: `${name} 1.00` })).not.toBeNull();
    expect(container.querySelector("[aria-hidden] span:last-child")?.textContent).toBe("me-worker-17");
  });

  it("is text in the legend, never markup", () => {
    const frame = frameOf([[0, EVIL, 1]]);
    const { container } = render(Legend, { panel, lines: linesOf(panel, 0, frame), frame, palette: PALETTES.dark, time: null });
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain(EVIL);
  });

  it("is text in a headline, never markup", () => {
    const { container } = render(HeadlineCell, { headline, offset: 0, frame: frameOf([[0, EVIL, 1]]), palette: PALETTES.dark });
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain(EVIL);
  });
});

it("a chart is told in words, the first dozen lines of it", () => {
  const frame = frameOf(Array.from({ length: 14 }, (_, i) => [0, `d${i}`, i]));
  const said = chartSummary(linesOf(panel, 0, frame), frame, "count", null);
  expect(said).toMatch(/^\d\d:\d\d:\d\d: d0 0, d1 1, .*d11 11, and 2 more$/);
});

it("panels of one section share a heading while they follow each other", () => {
  expect(sections(board).map(({ title, panels }) => [title, panels.map((placed) => placed.offset)])).toEqual([
    ["A", [2, 3]],
    [null, [4]],
    ["A", [5]],
  ]);
});

describe("the sign", () => {
  it("says its state and the figures", () => {
    render(SignBadge, { sign: { kind: "live", age: 430 }, latency: 62.4, reason: "" });
    expect(screen.getByRole("status").textContent).toBe("live");
    expect(screen.getByTestId("age").textContent).toBe("0.4 s old");
    expect(screen.getByTestId("latency").textContent).toContain("62\u00a0ms");
  });

  it("says in words, too, that it is live over HTTP", () => {
    render(SignBadge, { sign: { kind: "live", age: 430 }, latency: 62.4, reason: "", overHttp: true });
    const told = "over HTTP: a proxy on the way does not let WebSocket through";
    expect(screen.getByTestId("way").textContent).toBe(told);
  });

  it("says nothing of the way while it is a WebSocket", () => {
    render(SignBadge, { sign: { kind: "live", age: 430 }, latency: 62.4, reason: "" });
    expect(screen.queryByTestId("way")).toBeNull();
  });

  it("shows no latency but of what is live", () => {
    render(SignBadge, { sign: { kind: "stale", age: 4000 }, latency: 62, reason: "" });
    expect(screen.queryByTestId("latency")).toBeNull();
  });

  it("counts down in whole seconds", () => {
    expect(words({ kind: "reconnecting", wait: 2100 })).toEqual({ state: "reconnecting", figure: "in 3 s" });
    expect(words({ kind: "live", age: 3_240_000, step: 3_600_000 })).toEqual({ state: "live", figure: "1 h steps" });
    expect(words({ kind: "reconnecting", wait: 0 }).figure).toBe("now");
  });

  it.each([
    [900, "0.9 s"],
    [59_949, "59.9 s"],
    [59_960, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [7_500_000, "2 h 5 min"],
    [28_242_780_000, "326 d 21 h"],
  ])("tells %i ms as %s", (ms, expected) => {
    expect(duration(ms)).toBe(expected);
  });
});

describe("the keys", () => {
  const press = (key: string, target: Element = document.body, extra: KeyboardEventInit = {}): unknown => {
    const event = new KeyboardEvent("keydown", { key, ...extra });
    Object.defineProperty(event, "target", { value: target });
    return keyAction(event);
  };

  it("pause, choose the range, the theme and the key sheet", () => {
    expect([" ", "2", "T", "?", "v", "p", "w", "+", "-", "x"].map((key) => press(key))).toEqual([
      { do: "pause" },
      { do: "range", range: 1 },
      { do: "theme" },
      { do: "keys" },
      { do: "viewers" },
      { do: "processes" },
      { do: "then" },
      { do: "zoom", factor: 0.5 },
      { do: "zoom", factor: 2 },
      null,
    ]);
  });

  it("leave the browser its own, and a focused button its space bar", () => {
    expect(press("1", document.body, { ctrlKey: true })).toBeNull();
    expect(press(" ", document.createElement("button"))).toBeNull();
    expect(press("2", document.createElement("input"))).toBeNull();
  });

  it("stand on a sheet that opens and closes", async () => {
    HTMLDialogElement.prototype.showModal = vi.fn(function (this: HTMLDialogElement) {
      this.open = true;
    });
    HTMLDialogElement.prototype.close = vi.fn(function (this: HTMLDialogElement) {
      this.open = false;
    });
    render(KeySheet, { open: true });
    expect(screen.getByText("Pause or go on")).toBeTruthy();
    await fireEvent.click(screen.getByText("Close"));
    expect(document.querySelector("dialog")?.open).toBe(false);
  });
});

it("a problem says what is wrong and offers to try at once", async () => {
  const retry = vi.fn();
  render(ProblemCard, { problem: { title: "T", detail: "D" }, sign: { kind: "reconnecting", wait: 1500 }, retry });
  expect(screen.getByRole("alert").textContent).toContain("Trying again in 2 s.");
  await fireEvent.click(screen.getByRole("button", { name: "Try now" }));
  expect(retry).toHaveBeenCalledOnce();
});
