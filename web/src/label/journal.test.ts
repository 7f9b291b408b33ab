import { describe, expect, it } from "vitest";
import { difference, has, redraw } from "./journal";

const map = (text: string): Uint8Array => Uint8Array.from(text, Number);

describe("what was drawn", () => {
  it("is the pixels that changed, with their new values, and can be drawn again on another map", () => {
    const drawn = difference(map("00110"), map("02213"), 100);
    expect([...drawn.runs]).toEqual([101, 2, 104, 1]);
    expect([...drawn.values]).toEqual([2, 3]);
    const other = new Uint8Array(110).fill(9);
    redraw(other, drawn);
    expect([...other.slice(100, 106)]).toEqual([9, 2, 2, 9, 3, 9]);
  });

  it("is found in a file that a save reached before its answer was lost", () => {
    const first = difference(map("00000"), map("01100"), 0);
    const second = difference(map("01100"), map("02100"), 0);
    expect(has(map("01100"), [first, second])).toBe(true);
    expect(has(map("02100"), [first, second])).toBe(true);
    expect(has(map("00500"), [first, second])).toBe(false);
  });
});
