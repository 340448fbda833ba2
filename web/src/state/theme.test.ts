// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Theme } from "./theme.svelte";

const system = (light: boolean): void => {
  vi.stubGlobal("matchMedia", () => ({ matches: light, addEventListener: () => undefined, removeEventListener: () => undefined }));
};

beforeEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

describe("the theme", () => {
  it("is the system's, until one is chosen", () => {
    system(true);
    const theme = new Theme();
    expect(theme.scheme).toBe("light");
    theme.toggle();
    expect(theme.scheme).toBe("dark");
  });

  it("is remembered", () => {
    system(true);
    new Theme().toggle();
    expect(new Theme().scheme).toBe("dark");
  });

  it("works where storage is forbidden", () => {
    system(false);
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
      setItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
    const theme = new Theme();
    theme.toggle();
    expect(theme.scheme).toBe("light");
  });
});
