// @vitest-environment jsdom
import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Processes as State, type Listed, type Process } from "../state/processes.svelte";
import { at } from "../testing/service";
import { sighted } from "../testing/sight";
import type { ClientMessage, Table, View } from "../wire/messages";
import { TableWatch } from "../wire/table";
import Processes from "./Processes.svelte";

const EVIL = '<img src=x onerror="alert(1)">';
const BUSY: View = { sort: "cpu", descending: true, filter: "", limit: 50 };

const process = (pid: number, command: string, extra: Partial<Process> = {}): Process => ({
  pid,
  command,
  start: at(-125).t,
  arguments: "",
  user: "root",
  unit: "",
  state: "S",
  cpu: 0,
  memory: 1 << 20,
  read: 0,
  write: null,
  threads: 1,
  ...extra,
});

let seen: (inSight: boolean) => void;
const want = vi.fn();
const moment = vi.fn();

beforeEach(() => {
  vi.clearAllMocks();
  seen = sighted();
});

const listed = (rows: Process[], extra: Partial<Listed> = {}): Listed => ({ rows, total: rows.length, time: at(0).t, about: {}, ...extra });
const show = (now: Listed | null, then: Listed | null = null): void => {
  render(Processes, { processes: { now, then, refused: "", want, at: moment }, open: true });
};
const inSight = async (): Promise<void> => {
  seen(true);
  await waitFor(() => expect(want).toHaveBeenCalled());
};
const commands = (): (string | null)[] => screen.getAllByRole("rowheader").map((each) => each.textContent.trim());

describe("the processes", () => {
  it("are those of the moment that the page is about", async () => {
    const { rerender } = render(Processes, { processes: { now: null, then: null, refused: "", want, at: moment }, asked: 90_000, open: true });
    await waitFor(() => expect(moment).toHaveBeenLastCalledWith(90_000));
    expect(screen.getByRole("button", { name: "Now" }).ariaPressed).toBe("false");
    await rerender({ asked: null });
    expect(screen.getByRole("button", { name: "Now" }).ariaPressed).toBe("true");
  });

  it("are asked for while they are in sight, in the order that was chosen", async () => {
    show(listed([process(1, "init")]));
    await Promise.resolve();
    expect(want).not.toHaveBeenCalled();
    await inSight();
    expect(want).toHaveBeenLastCalledWith(BUSY);
    await fireEvent.click(screen.getByRole("button", { name: "Memory" }));
    expect(want).toHaveBeenLastCalledWith({ ...BUSY, sort: "memory" });
    await fireEvent.click(screen.getByRole("button", { name: "Memory" }));
    expect(want).toHaveBeenLastCalledWith({ ...BUSY, sort: "memory", descending: false });
    expect(screen.getByRole("columnheader", { name: "Memory" }).getAttribute("aria-sort")).toBe("ascending");
    await fireEvent.click(screen.getByRole("button", { name: "Command" }));
    expect(want).toHaveBeenLastCalledWith({ ...BUSY, sort: "command", descending: false });
    seen(false);
    await waitFor(() => expect(want).toHaveBeenLastCalledWith(null));
  });

  it("are filtered by the service when somebody has typed", async () => {
    show(listed([process(1, "init")]));
    await inSight();
    await fireEvent.input(screen.getByRole("searchbox"), { target: { value: "nginx " } });
    await waitFor(() => expect(want).toHaveBeenLastCalledWith({ ...BUSY, filter: "nginx" }));
  });

  it("are texts, whatever they call themselves", () => {
    show(listed([process(7, EVIL, { arguments: EVIL, user: EVIL, cpu: 0.75 })]));
    const row = screen.getAllByRole("row")[1] as HTMLElement;
    expect(row.querySelector("img")).toBeNull();
    expect(within(row).getAllByText(EVIL)).toHaveLength(3);
    expect(row.textContent).toContain("75.0%");
    expect(row.textContent).toContain("2 min 5 s");
  });

  it("come in greater number when that is asked for", async () => {
    show(listed([process(1, "init")], { total: 70 }));
    await inSight();
    await fireEvent.click(screen.getByRole("button", { name: "Show 70" }));
    expect(want).toHaveBeenLastCalledWith({ ...BUSY, limit: 250 });
  });

  it("say where looking at them is slowed, partial or switched off", () => {
    show(listed([], { about: { slowed: 1, interval: 4000, cost: 40, whole: 0 } }));
    const said = screen.getAllByRole("status").map((each) => each.textContent);
    expect(said[0]).toBe("Looked at every 4.0 s only: a look takes 40 ms of CPU time, more than its budget.");
    expect(said[1]).toContain("hidepid");
    document.body.innerHTML = "";
    show(listed([], { about: { off: 1 } }));
    expect(screen.getByRole("status").textContent).toContain("collect.collectors.process_groups is switched off");
  });

  it("of a past moment are those that were kept, sorted here", async () => {
    const rows = [process(9, "small", { memory: 1, cpu: 0.5 }), process(3, "large", { memory: 9, cpu: 0.1 })];
    show(listed([process(1, "init")]), listed(rows));
    await inSight();
    await fireEvent.click(screen.getByRole("button", { name: "10 seconds before" }));
    expect(moment).toHaveBeenLastCalledWith(at(-10).t);
    await waitFor(() => expect(want).toHaveBeenLastCalledWith(null));
    expect(commands()).toEqual(["small", "large"]);
    await fireEvent.click(screen.getByRole("button", { name: "Memory" }));
    expect(commands()).toEqual(["large", "small"]);
    await fireEvent.click(screen.getByRole("button", { name: "10 seconds after" }));
    expect(moment).toHaveBeenLastCalledWith(at(0).t);
    await fireEvent.click(screen.getByRole("button", { name: "Now" }));
    expect(commands()).toEqual(["init"]);
  });

  it("of a moment of which nothing was kept say so", async () => {
    show(listed([process(1, "init")]), listed([], { time: null }));
    await fireEvent.click(screen.getByRole("button", { name: "10 seconds before" }));
    expect(screen.getByText("Nothing was kept of that moment.")).toBeTruthy();
  });
});

describe("a table with several views", () => {
  let sent: ClientMessage[];
  let watch: TableWatch;
  const LARGE: View = { ...BUSY, sort: "memory" };
  const table = (feed: number, view: View): Table => ({
    type: "table",
    table: "processes",
    feed,
    n: at(1).n,
    columns: ["pid"],
    rows: [[feed]],
    total: 1,
    about: { whole: 1 },
    view,
  });
  const asked = (view: View): object => ({ type: "subscribe", request: 7, table: "processes", ...view });

  beforeEach(() => {
    sent = [];
    watch = new TableWatch("processes", 7, (message) => sent.push(message));
    watch.greeted();
    watch.want(true, BUSY);
  });

  it("gives one back for the other", () => {
    watch.received(table(1, BUSY));
    watch.want(true, LARGE);
    expect(sent).toEqual([asked(BUSY), { type: "unsubscribe", feed: 1 }, asked(LARGE)]);
    watch.received(table(1, BUSY)); // on its way when it was left
    expect(watch.newest?.feed).toBe(1);
    watch.received(table(2, LARGE));
    expect(watch.newest?.feed).toBe(2);
  });

  it("gives back what was left before its answer, and keeps what is wanted again", () => {
    watch.want(true, LARGE);
    watch.want(true, BUSY);
    watch.received(table(1, BUSY));
    watch.received(table(2, LARGE));
    expect(sent.slice(1)).toEqual([asked(LARGE), asked(BUSY), { type: "unsubscribe", feed: 2 }]);
    expect(watch.newest?.feed).toBe(1);
  });

  it("is read by the names of its columns", () => {
    const state = new State(watch, () => Promise.resolve({}));
    watch.received(table(5, BUSY));
    state.look(1000);
    expect(state.now).toMatchObject({ total: 1, time: at(1).t, about: { whole: 1 } });
    expect(state.now?.rows[0]).toMatchObject({ pid: 5, command: "", memory: null });
    watch.refused({ type: "error", request: 7, code: "bad_query", message: "64 tables are watched already" } as never);
    state.look(1000);
    expect(state.refused).toContain("64 tables");
  });
});

describe("a moment of the past", () => {
  const answer = { status: "success", data: { time: 1764000000, columns: ["pid", "cpu"], rows: [[4, 0.5]] } };

  it("is what the service kept of it", async () => {
    const past = vi.fn(() => Promise.resolve(answer));
    const state = new State(new TableWatch("processes", 7, vi.fn()), past);
    await state.at(1_764_000_003_000);
    expect(past).toHaveBeenCalledWith(1_764_000_003_000);
    expect(state.then).toMatchObject({ time: 1_764_000_000_000, rows: [{ pid: 4, cpu: 0.5 }] });
  });

  it("that cannot be had says why", async () => {
    const state = new State(new TableWatch("processes", 7, vi.fn()), () => Promise.reject(new Error("status 503")));
    await state.at(0);
    expect(state.refused).toBe("Nothing could be asked of that moment: status 503.");
    const other = new State(new TableWatch("processes", 7, vi.fn()), () => Promise.resolve({ data: 7 }));
    await other.at(0);
    expect(other.refused).toContain("something else than expected");
  });

  it("asked for last counts, whichever answer comes last", async () => {
    const answers: ((found: object) => void)[] = [];
    const past = (): Promise<unknown> => new Promise((resolve) => answers.push(resolve));
    const state = new State(new TableWatch("processes", 7, vi.fn()), past);
    const [first, second] = [state.at(1), state.at(2)];
    answers[1]?.(answer);
    await second;
    answers[0]?.({ ...answer, data: { ...answer.data, time: 1 } });
    await first;
    expect(state.then?.time).toBe(1_764_000_000_000);
  });
});
