// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import Login from "./Login.svelte";

interface Asked {
  method: string;
  body: unknown;
}

let asked: Asked[];
let told: object;
let answers: Response[];
let enter: () => void;

const json = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
const refused = (status: number, message: string): Response => json(status, { error: { code: "c", message } });

/** Shows the page at an address. */
async function show(path: string): Promise<void> {
  window.history.replaceState(null, "", path);
  const place = { href: window.location.href, reload: () => enter(), replace: () => enter() };
  vi.stubGlobal("location", place);
  render(Login);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await new Promise((done) => setTimeout(done));
}

async function type(name: string, password: string): Promise<void> {
  await fireEvent.input(screen.getByLabelText("Name"), { target: { value: name } });
  await fireEvent.input(screen.getByLabelText("Password"), { target: { value: password } });
  await fireEvent.click(screen.getByRole("button"));
}

beforeEach(() => {
  asked = [];
  answers = [];
  told = { name: "", role: null, may: [], users: true };
  enter = vi.fn<() => void>();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }));
  vi.stubGlobal("fetch", (_place: string, init: RequestInit) => {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null;
    asked.push({ method: init.method ?? "GET", body });
    return Promise.resolve(init.method === undefined ? json(200, told) : (answers.shift() ?? refused(500, "none")));
  });
  performance.getEntriesByType = () => [{ type: "navigate" }] as unknown as PerformanceEntryList;
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the page to log in", () => {
  it("sends name and password as JSON, and goes on to the boards", async () => {
    await show("/");
    answers = [new Response(null, { status: 204 })];
    await type("alice", "correct horse");
    await vi.waitFor(() => expect(enter).toHaveBeenCalledOnce());
    expect(asked[1]).toEqual({ method: "POST", body: { name: "alice", password: "correct horse" } });
  });

  it("begins at the name", async () => {
    await show("/");
    expect(document.activeElement).toBe(screen.getByLabelText("Name"));
  });

  it("says aloud what the service says, and asks for the password again", async () => {
    await show("/");
    answers = [refused(401, "The name or the password is wrong.")];
    await type("alice", "wrong");
    await vi.waitFor(() => expect(screen.getByRole("alert").textContent).toBe("The name or the password is wrong."));
    expect(enter).not.toHaveBeenCalled();
    expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("");
    expect(document.activeElement).toBe(screen.getByLabelText("Password"));
  });

  it("says what a proxy's answer was that says nothing", async () => {
    await show("/");
    answers = [new Response("<html>", { status: 502 })];
    await type("alice", "correct horse");
    await vi.waitFor(() => expect(screen.getByRole("alert").textContent).toBe("The service answered with status 502."));
  });

  it("shows words of the service as text", async () => {
    await show("/");
    answers = [refused(429, "<img src=x onerror=alert(1)>")];
    await type("alice", "correct horse");
    await vi.waitFor(() => expect(screen.getByRole("alert").textContent).toContain("<img"));
    expect(screen.getByRole("alert").children).toHaveLength(0);
  });

  it("says how to come by a link where nobody has a password", async () => {
    told = { name: "", role: null, may: [], users: false };
    await show("/");
    expect(screen.queryByLabelText("Password")).toBeNull();
    expect(screen.getByText("monitor login-link").tagName).toBe("CODE");
  });

  it("takes a code that was not good out of the address, and says so", async () => {
    await show("/login?code=secret");
    expect(screen.getByRole("alert").textContent).toContain("used already");
    expect(document.location.search).toBe("");
  });

  it("lets in whoever opens their link once more, and is still logged in", async () => {
    told = { name: "local", role: "admin", may: ["view"], users: false };
    await show("/login?code=secret");
    expect(enter).toHaveBeenCalledOnce();
  });

  it("goes on by itself where the browser kept the cookie back at first", async () => {
    told = { name: "alice", role: "viewer", may: ["view"], users: true };
    await show("/");
    expect(enter).toHaveBeenCalledOnce();
  });

  it("does not go round in circles where the page stays closed", async () => {
    told = { name: "alice", role: "viewer", may: ["view"], users: true };
    performance.getEntriesByType = () => [{ type: "reload" }] as unknown as PerformanceEntryList;
    await show("/");
    expect(enter).not.toHaveBeenCalled();
  });

  it("lets whoever may look already log in as somebody else", async () => {
    told = { name: "", role: "viewer", may: ["view"], users: true };
    await show("/login");
    expect(enter).not.toHaveBeenCalled();
    expect(screen.getByLabelText("Name")).not.toBeNull();
  });
});
