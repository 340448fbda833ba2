import { expect, it } from "vitest";
import { boards, queryOffsets } from "./board";
import { WireError } from "./check";

const least = { name: "b", title: "B", panels: [{ title: "P", queries: [{ query: "up" }] }] };

it("fills in the defaults", () => {
  expect(boards({ boards: [least] })).toEqual([
    {
      name: "b",
      title: "B",
      headline: [],
      panels: [
        {
          title: "P",
          section: null,
          kind: "line",
          unit: "none",
          queries: [{ query: "up", legend: "", role: "value" }],
          min: null,
          max: null,
          warn: null,
          critical: null,
          width: 1,
          needs: "",
        },
      ],
    },
  ]);
});

it("says where a board is wrong", () => {
  const wrong = { ...least, panels: [{ title: "P", kind: "pie", queries: [] }] };
  expect(() => boards({ boards: [wrong] })).toThrow(new WireError('boards[0].panels[0].kind: one of line, area, stacked, heat, bars expected, not "pie"'));
});

it("counts the queries in the order of the feed: headlines with their details, then panels", () => {
  const query = { query: "up" };
  const [board] = boards({
    boards: [
      {
        ...least,
        headline: [
          { title: "a", queries: [query, query], details: [query] },
          { title: "b", queries: [query] },
        ],
        panels: [{ title: "c", queries: [query, query] }, { title: "d", queries: [query] }],
      },
    ],
  });
  expect(board && queryOffsets(board)).toEqual({ headline: [0, 3], panels: [4, 6], total: 7 });
});
