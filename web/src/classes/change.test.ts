import { describe, expect, it } from "vitest";
import { problem, request, rowsOf, sentences } from "./change";

const OLD = [
  { name: "matrix", color: "#202020" },
  { name: "carbide", color: "#e69f00" },
  { name: "pore", color: "#56b4e9" },
];

describe("another list of classes", () => {
  it("asks for names, order and merged classes, by what they were", () => {
    const rows = rowsOf(OLD);
    rows[2].into = rows[1];
    rows[1].name = " Fe3C ";
    const swapped = [rows[1], rows[0], rows[2], { was: null, name: "crack", color: "#000000", into: null }];
    expect(request(swapped)).toEqual({
      classes: [
        { was: 1, name: "Fe3C", color: "#e69f00" },
        { was: 0, name: "matrix", color: "#202020" },
        { was: null, name: "crack", color: "#000000" },
      ],
      merge: [{ was: 2, into: 0 }],
    });
    expect(sentences(OLD, swapped)).toEqual([
      "carbide is called Fe3C.",
      "pore becomes part of Fe3C.",
      "crack is new.",
      "The order is another one.",
    ]);
  });

  it("says nothing of a list that is as it was, and refuses what is no list", () => {
    const rows = rowsOf(OLD);
    expect([sentences(OLD, rows), problem(rows)]).toEqual([[], null]);
    rows[2].name = "carbide";
    expect(problem(rows)).toBe("Two classes are called carbide.");
    rows[2].into = rows[1];
    expect(problem(rows)).toBeNull();
    rows[1].into = rows[0];
    expect(problem(rows)).toBe("There must be two classes or more.");
    rows[0].name = " ";
    expect(problem(rows)).toBe("Every class needs a name.");
  });
});
