// @vitest-environment jsdom
import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PALETTES } from "../chart/palette";
import { linesOf } from "../chart/lines";
import { Frame } from "../data/frame";
import { Window } from "../data/window";
import type { Viewer } from "../state/viewers";
import { at, STEP } from "../testing/service";
import { sighted } from "../testing/sight";
import { boards } from "../wire/board";
import { agentName } from "./agent";
import Legend from "./Legend.svelte";
import Viewers from "./Viewers.svelte";

const EVIL = '<img src=x onerror="alert(1)">';
const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36";

const viewer = (session: string, extra: Partial<Viewer> = {}): Viewer => ({
  session,
  address: "10.0.0.7",
  agent: CHROME,
  user: "",
  board: "overview",
  since: at(-125).t,
  roundTrip: 1.4,
  rate: 2048,
  lag: 42,
  skipped: 0,
  waiting: 0,
  oldest: 0,
  state: "live",
  ...extra,
});

const watch = vi.fn();
const cut = vi.fn((): Promise<void> => Promise.resolve());
let seen: (inSight: boolean) => void;

beforeEach(() => {
  vi.clearAllMocks();
  vi.stubGlobal("CSS", { escape: (text: string) => text });
  seen = sighted();
});

const show = (rows: Viewer[], open = true, total = rows.length): void => {
  const viewers = { rows, total, time: at(0).t };
  render(Viewers, { dashboard: { watchers: { now: viewers, refused: "", want: watch }, session: "own", cut }, open });
};
const button = (name: string | RegExp): HTMLElement => screen.getByRole("button", { name });

describe("the panel of viewers", () => {
  it("is closed at first, and asks for nothing", async () => {
    show([viewer("a")], false);
    seen(true);
    expect(button("Viewers").getAttribute("aria-expanded")).toBe("false");
    expect(screen.queryByRole("table")).toBeNull();
    await fireEvent.click(button("Viewers"));
    expect(watch.mock.calls).toEqual([[true]]);
  });

  it("asks only while it is in sight", async () => {
    show([viewer("a")]);
    expect(watch).not.toHaveBeenCalled();
    seen(true);
    await Promise.resolve();
    seen(false);
    await vi.waitFor(() => expect(watch.mock.calls).toEqual([[true], [false]]));
  });

  it("tells of each who it is and how it fares", () => {
    show([viewer("a", { state: "slow", skipped: 3, waiting: 4096, oldest: 2000 })]);
    const [, row] = screen.getAllByRole("row");
    const said = within(row as HTMLElement).getAllByRole("cell").map(({ textContent }) => textContent?.trim());
    expect(within(row as HTMLElement).getByRole("rowheader").textContent).toMatch(/10\.0\.0\.7\s*Chrome 153, Linux/);
    expect(said.slice(0, -1)).toEqual([
      "overview",
      "slow",
      "2 min 5 s",
      "1.40\u00a0ms",
      "2.00\u00a0KiB/s",
      "42.0\u00a0ms",
      "3",
      "4.00\u00a0KiB, 2.0 s",
    ]);
  });

  it("writes what browsers call themselves as text", () => {
    show([viewer("a", { agent: EVIL, address: EVIL, board: EVIL })]);
    expect(document.querySelector("img")).toBeNull();
    expect(screen.getAllByText(EVIL)).toHaveLength(3);
  });

  it("says how many there are beyond those it shows", () => {
    show([viewer("a")], true, 12);
    expect(screen.getByText("The first 1 of 12.")).toBeTruthy();
  });

  it("does not offer to cut this page", () => {
    show([viewer("own")]);
    expect(screen.getByText("this page")).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Cut/ })).toBeNull();
  });

  it("cuts after a second question, and says so", async () => {
    show([viewer("own"), viewer("b")]);
    await fireEvent.click(button("Cut 10.0.0.7, Chrome 153, Linux"));
    expect(cut).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("Keep"));
    await fireEvent.click(button("Cut now"));
    expect(cut.mock.calls).toEqual([["b"]]);
    await vi.waitFor(() => expect(screen.getByRole("status").textContent).toBe("10.0.0.7, Chrome 153, Linux was cut."));
  });

  it("can be told to keep it, by the keyboard too", async () => {
    show([viewer("b")]);
    await fireEvent.click(button(/^Cut 10/));
    await fireEvent.keyDown(button("Keep"), { key: "Escape" });
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("Cut"));
    await fireEvent.click(button(/^Cut 10/));
    await fireEvent.click(button("Keep"));
    expect(cut).not.toHaveBeenCalled();
  });

  it("says why one could not be cut", async () => {
    cut.mockRejectedValueOnce(new Error("status 404"));
    show([viewer("b")]);
    await fireEvent.click(button(/^Cut 10/));
    await fireEvent.click(button("Cut now"));
    await vi.waitFor(() => expect(screen.getByRole("status").textContent).toContain("was not cut: status 404"));
  });
});

it.each([
  [CHROME, "Chrome 153, Linux"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 (KHTML, like Gecko) Version/26.1 Safari/605", "Safari 26, macOS"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox 150, Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0 Safari/537.36 Edg/153.0", "Edge 153, Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E1", "Safari 26, iOS"],
  ["curl/8.5.0", "curl/8.5.0"],
  ["", "unnamed"],
])("%s is called %s", (agent, name) => {
  expect(agentName(agent)).toBe(name);
});

describe("a legend", () => {
  const [board] = boards({ boards: [{ name: "b", title: "B", panels: [{ title: "P", queries: [{ query: "q", legend: "{{cpu}}" }] }] }] });
  const panel = board!.panels[0]!;

  it("shows one line alone when its entry is pressed, and all when it is pressed again", async () => {
    const window = new Window(10 * STEP);
    window.append(["a", "b"].map((cpu) => ({ query: 0, labels: { cpu } })), at(0).t, [1, 2]);
    const frame = new Frame(window, 5 * STEP);
    render(Legend, { panel, lines: linesOf(panel, 0, frame), frame, palette: PALETTES.dark, time: null });
    const entry = (name: string): HTMLElement => button(new RegExp(`^${name}`));
    await fireEvent.click(entry("a"));
    expect([entry("a"), entry("b")].map((each) => each.getAttribute("aria-pressed"))).toEqual(["true", "false"]);
    expect(entry("b").className).toContain("away");
    await fireEvent.click(entry("a"));
    expect(entry("a").getAttribute("aria-pressed")).toBe("false");
    expect(entry("b").className).not.toContain("away");
  });
});
