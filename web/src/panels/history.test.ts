// @vitest-environment jsdom
import { render, screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import HistoryBanner from "./HistoryBanner.svelte";

describe("the banner of history", () => {
  it("says nothing while all is well", () => {
    render(HistoryBanner, { paused: "" });
    expect(screen.getByTestId("history").textContent.trim()).toBe("");
  });

  it("says why history is paused, as text whatever it is, and goes by itself", async () => {
    const { rerender } = render(HistoryBanner, { paused: '<img src="x">' });
    expect(screen.getByRole("status").textContent).toContain('History is paused: <img src="x">.');
    expect(document.querySelector("img")).toBeNull();
    await rerender({ paused: "" });
    expect(screen.getByTestId("history").textContent.trim()).toBe("");
  });
});
