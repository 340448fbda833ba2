/** Ties a dashboard to the browser's page: its address, its visibility, its network, its drawing. */
import { flushSync } from "svelte";
import { EventSocket } from "../wire/events";
import { searchOf, spanOf, type Span } from "../data/span";
import type { Dashboard } from "./dashboard.svelte";
import { logOut, who } from "./identity";
import { HttpError } from "./problem";
import { USUAL } from "./shown.svelte";
import type { World } from "./world";

/** Columns of a chart: about two for each of its pixels on a large screen. */
const POINTS = 720;
/** How often (ms) a visible page judges its connection and says how old its newest sample is. */
const CHECK_EVERY = 500;

function liveUrl(base: string): string {
  const url = new URL("live", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = url.search = "";
  return url.href;
}

async function fetchBoards(): Promise<unknown> {
  const answer = await fetch("api/boards", { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new HttpError(answer.status);
  return answer.json();
}

async function pastProcesses(time: number): Promise<unknown> {
  const answer = await fetch(`api/v1/processes?time=${time / 1000}`, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new HttpError(answer.status);
  return answer.json();
}

interface Refusal {
  error?: string;
}

/** What was answered, or an Error with the service's reason. */
async function answered(answer: Response): Promise<unknown> {
  const told = (await answer.json()) as Refusal;
  if (!answer.ok) throw new Error(told.error ?? `The service answered with status ${answer.status}.`);
  return told;
}

export async function askBursts(path: string, body?: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  const change = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  return answered(await fetch(`api/v1/burst${path}`, { ...change, signal: AbortSignal.timeout(10_000) }));
}

export async function askHosts(time: number | null): Promise<unknown> {
  const moment = time === null ? "" : `?time=${time / 1000}`;
  return answered(await fetch(`api/v1/host${moment}`, { signal: AbortSignal.timeout(10_000) }));
}

async function happened(from: number, to: number): Promise<unknown> {
  const range = `start=${from / 1000}&end=${to / 1000}`;
  const answer = await fetch(`api/v1/events?${range}`, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new HttpError(answer.status);
  return answer.json();
}

async function cutViewer(session: string): Promise<void> {
  const target = `api/viewers/${encodeURIComponent(session)}`;
  const answer = await fetch(target, { method: "DELETE", signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new HttpError(answer.status);
}

function openEvents(): EventSocket {
  const post = async (path: string, body: string): Promise<boolean> => {
    const headers = { "Content-Type": "application/json" };
    const request = fetch(path, { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
    return request.then(({ ok }) => ok, () => false);
  };
  return new EventSocket("events", new EventSource("events"), post);
}

const answers = (): Promise<boolean> =>
  fetch("healthz", { signal: AbortSignal.timeout(10_000) }).then(({ ok }) => ok, () => false);

export function world(): World {
  return {
    liveUrl: liveUrl(document.baseURI),
    open: (url, protocol) => new WebSocket(url, protocol),
    openEvents,
    answers,
    boards: fetchBoards,
    past: pastProcesses,
    happened,
    cut: cutViewer,
    who,
    leave: logOut,
    again: () => location.reload(),
    now: () => performance.now(),
    random: () => Math.random(),
    points: () => (innerWidth < 700 ? POINTS / 2 : POINTS),
    remember: (span) => {
      const { pathname, hash } = location;
      history.replaceState(history.state, "", pathname + searchOf(span, USUAL) + hash);
    },
    paint: (paint, painted) => {
      requestAnimationFrame(() => {
        flushSync(paint);
        // A message posted within a frame is delivered right after the frame is drawn.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          painted();
        };
        port2.postMessage(null);
      });
    },
  };
}

/** What the address asks to be shown, or what a page begins with. */
const span = (): Span => spanOf(location.search) ?? { range: USUAL, until: null };

/** Empty where the address names none: then the first board is shown. */
export const boardName = (): string => decodeURIComponent(location.hash.slice(1));

/** Keeps a dashboard in step with its page; returns what undoes it. A hidden page has no timer. */
export function attend(dashboard: Dashboard): () => void {
  const end = new AbortController();
  const { signal } = end;
  let timer: ReturnType<typeof setInterval> | undefined;
  const see = (): void => {
    clearInterval(timer);
    timer = document.hidden ? undefined : setInterval(() => dashboard.check(), CHECK_EVERY);
    dashboard.setVisible(!document.hidden);
  };
  const wake = (): void => dashboard.wake();
  document.addEventListener("visibilitychange", see, { signal });
  document.addEventListener("resume", wake, { signal });
  window.addEventListener("pageshow", wake, { signal });
  window.addEventListener("online", wake, { signal });
  window.addEventListener("hashchange", () => void dashboard.show(boardName()), { signal });
  dashboard.look(span());
  see();
  void dashboard.show(boardName());
  return () => {
    clearInterval(timer);
    end.abort();
    dashboard.close();
  };
}
