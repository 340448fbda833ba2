/** The rooms of the page: wire < data < state < chart < panels < App. Imports go leftward only, types included. */
import { describe, expect, it } from "vitest";

const ROOMS = ["wire", "data", "state", "chart", "panels"];
const APP = ROOMS.length;
const files = import.meta.glob<string>(["./**/*.{ts,svelte}", "!./**/*.test.ts", "!./testing/**"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const IMPORT = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+|[^"./][^"]*)"/g;

const room = (path: string): number => {
  const place = ROOMS.indexOf(path.split("/")[1] ?? "");
  return place === -1 ? APP : place;
};
const imports = (path: string): string[] => [...(files[path] ?? "").matchAll(IMPORT)].map(([, name]) => name ?? "");
const absolute = (path: string, name: string): string => `./${new URL(name, `http://x/${path.slice(2)}`).pathname.slice(1)}`;

describe.each(Object.keys(files))("%s", (path) => {
  it("imports leftward only", () => {
    const rightward = imports(path)
      .filter((name) => name.startsWith("."))
      .filter((name) => room(absolute(path, name)) > room(path));
    expect(rightward).toEqual([]);
  });

  it("is small", () => {
    expect((files[path] ?? "").split("\n").length).toBeLessThanOrEqual(320);
  });

  it("writes no markup from text", () => {
    expect(files[path]).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|\{@html|document\.write/);
  });
});

it("wire and data know neither Svelte nor the page; uPlot is known to the chart alone", () => {
  for (const path of Object.keys(files)) {
    const packages = imports(path).filter((name) => !name.startsWith("."));
    if (room(path) < ROOMS.indexOf("state")) expect([path, packages]).toEqual([path, []]);
    if (room(path) !== ROOMS.indexOf("chart") && path !== "./main.ts") expect([path, packages]).not.toContain("uplot");
  }
});

it("only one component makes charts", () => {
  const makers = Object.keys(files).filter((path) => /import uPlot from/.test(files[path] ?? ""));
  expect(makers).toEqual(["./chart/Chart.svelte"]);
});
