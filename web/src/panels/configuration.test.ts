// @vitest-environment jsdom
import { render, screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { QUIET } from "../wire/configuration";
import ConfigurationBanner from "./ConfigurationBanner.svelte";

const EVIL = '<img src=x onerror="alert(1)">';
const fault = { place: "config.yaml:3:9", path: "log.level", text: `found "${EVIL}", expected one of debug, info` };

describe("the banner of the configuration", () => {
  it("says nothing while all is well", () => {
    render(ConfigurationBanner, { configuration: QUIET });
    expect(screen.getByTestId("configuration").textContent.trim()).toBe("");
  });

  it("says each problem with its place, as text whatever it is", () => {
    render(ConfigurationBanner, { configuration: { problems: [fault], count: 1, waiting: [] } });
    const said = screen.getByRole("listitem").textContent;
    expect(said).toBe(`config.yaml:3:9log.level${fault.text}`);
    expect(document.querySelector("img")).toBeNull();
    expect(screen.queryByText(/more/)).toBeNull();
  });

  it("says how many are not shown", () => {
    render(ConfigurationBanner, { configuration: { problems: [fault], count: 30, waiting: [] } });
    expect(screen.getByText("And 29 more; the service's log tells them.")).toBeTruthy();
  });

  it("names what waits for a restart", () => {
    render(ConfigurationBanner, { configuration: { ...QUIET, waiting: ["server.listen", "collect.job"] } });
    expect(screen.getByText("Needs a restart to take effect: server.listen, collect.job")).toBeTruthy();
  });
});
