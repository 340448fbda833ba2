// @vitest-environment jsdom
import { fireEvent, render, screen } from "@testing-library/svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PALETTES } from "../chart/palette";
import { Frame } from "../data/frame";
import { Window } from "../data/window";
import { Cursor } from "../state/cursor.svelte";
import { at, STEP } from "../testing/service";
import { sighted } from "../testing/sight";
import { boards, type Board } from "../wire/board";
import Grid from "./Grid.svelte";
import { Room, settled, type Place } from "./room";

// uPlot asks as it is imported.
vi.hoisted(() => vi.stubGlobal("matchMedia", () => ({ addEventListener: () => undefined })));

const [board] = boards({
  boards: [
    {
      name: "b",
      title: "B",
      panels: ["Load", "Swap", "Disk"].map((title) => ({
        title,
        kind: "bars",
        queries: [{ query: "q", legend: "" }],
        needs: title === "Disk" ? "A disk." : "",
      })),
    },
  ],
}) as [Board];

/** A frame of `seconds` in which the queries named have values. */
function frameOf(seconds: number, ...queries: number[]): Frame {
  const window = new Window(200 * STEP);
  const t = Array.from({ length: seconds }, (_, i) => at(i).t);
  window.absorb(queries.map((query) => ({ query, labels: {} })), { t, v: queries.map(() => t.map(() => 1)) }, STEP);
  return new Frame(window, 100 * STEP);
}

const place = (offset: number, empty: boolean, below = false): Place => ({ offset, empty, below });

describe("a panel without data", () => {
  it("stands small from the first picture of a board on, where there was time for data to come", () => {
    const frame = frameOf(90, 0);
    const places = [place(0, false), place(1, true)];
    expect([...new Room().look(board, frame, places, true)]).toEqual([1]);
    expect([...new Room().look(board, frame, places, false)]).toEqual([]);
  });

  it("keeps its size while it is in sight, whatever comes and goes", () => {
    const [room, frame] = [new Room(), frameOf(90, 0)];
    room.look(board, frame, [place(0, false), place(1, true)], true);
    expect([...room.look(board, frame, [place(0, true), place(1, false)], true)]).toEqual([1]);
  });

  it("grows and shrinks below what is in sight", () => {
    const [room, frame] = [new Room(), frameOf(90, 0)];
    room.look(board, frame, [place(0, false), place(1, true)], true);
    expect([...room.look(board, frame, [place(0, true, true), place(1, false, true)], true)]).toEqual([0]);
  });

  it("grows and shrinks with another range, and with another board, whose places are others", () => {
    const [room, frame] = [new Room(), frameOf(90, 0)];
    room.look(board, frame, [place(0, false), place(1, true)], true);
    const longer = new Frame(frame.window, 150 * STEP);
    expect([...room.look(board, longer, [place(0, true), place(1, false)], true)]).toEqual([0]);
    expect([...room.look({ ...board }, longer, [place(0, false)], false)]).toEqual([]);
  });

  it("grows where nothing else is shown that could move", () => {
    const [room, frame] = [new Room(), frameOf(90, 0)];
    expect([...room.look(board, frame, [place(0, true), place(1, true)], true)]).toEqual([0, 1]);
    expect([...room.look(board, frame, [place(0, false), place(1, true)], true)]).toEqual([1]);
  });

  it("grows when somebody asks for it", () => {
    const [room, frame] = [new Room(), frameOf(90, 0)];
    const places = [place(0, false), place(1, true)];
    room.look(board, frame, places, true);
    room.grow(1);
    expect([...room.look(board, frame, places, true)]).toEqual([]);
  });
});

it("what has no data is waited for a minute after the first value, not at all on a board without any, but in the past", () => {
  expect(settled(3, frameOf(59, 0), false)).toBe(false);
  expect(settled(3, frameOf(61, 0), false)).toBe(true);
  expect(settled(3, frameOf(3), false)).toBe(true);
  expect(settled(3, frameOf(3), true)).toBe(false);
});

describe("a board", () => {
  const props = (frame: Frame | null): object => ({
    board,
    frame,
    palette: PALETTES.dark,
    cursor: new Cursor(),
    select: vi.fn(),
    farther: vi.fn(),
  });
  const cards = (): (string | null)[] => screen.queryAllByRole("article").map((card) => card.getAttribute("aria-label"));

  beforeEach(() => {
    sighted();
  });

  it("names every panel that has no data, with what it takes", () => {
    render(Grid, props(frameOf(90, 0)));
    expect(cards()).toEqual(["Load"]);
    const said = screen.getAllByRole("listitem").map((item) => item.textContent.trim());
    expect(said).toEqual(["Swap: no data", "Disk: no data. Needs: A disk."]);
  });

  it("lets nothing move when data come, and shows them on request", async () => {
    const frame = frameOf(90, 0);
    const { rerender } = render(Grid, props(frame));
    frame.window.append([{ query: 0, labels: {} }, { query: 1, labels: {} }], at(90).t, [1, 1]);
    await rerender({ frame: new Frame(frame.window, frame.range) });
    expect(cards()).toEqual(["Load"]);
    await fireEvent.click(screen.getByRole("button", { name: "Swap: has data now, show it" }));
    expect(cards()).toEqual(["Load", "Swap"]);
  });

  it("keeps the room of its panels while it is not known what has data", () => {
    render(Grid, props(null));
    expect(cards()).toEqual(["Load", "Swap", "Disk"]);
  });
});
