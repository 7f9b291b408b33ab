import { describe, expect, it } from "vitest";
import { scaleBar, scaleText } from "../viewer/scale_bar";
import { History } from "./history";
import { cut, line, paste, polygon, region, spans, type Map2d } from "./paint";

const blank = (width: number, height: number): Map2d => ({ data: new Uint8Array(width * height), width, height });
const count = (map: Map2d, value: number): number => map.data.filter((v) => v === value).length;

describe("painting", () => {
  it("a dab is a disc, a stroke a capsule", () => {
    const map = blank(60, 40);
    line(map, { x: 20, y: 20 }, { x: 20, y: 20 }, 8, 1);
    expect(Math.abs(count(map, 1) - Math.PI * 64)).toBeLessThan(8);
    line(map, { x: 20, y: 20 }, { x: 40, y: 20 }, 8, 2);
    expect(Math.abs(count(map, 2) - (Math.PI * 64 + 20 * 16))).toBeLessThan(12);
  });

  it("stays in the image and in what is allowed", () => {
    const map = blank(10, 10);
    const box = line(map, { x: -3, y: 5 }, { x: 30, y: 5 }, 2, 1, (i) => i % 2 === 0);
    expect(box).toEqual({ left: 0, top: 3, right: 10, bottom: 8 });
    expect([...map.data].every((v, i) => v === 0 || i % 2 === 0)).toBe(true);
  });

  it("a polygon covers the pixels whose centres lie in it", () => {
    const map = blank(10, 10);
    polygon(map, [{ x: 2, y: 2 }, { x: 6, y: 2 }, { x: 6, y: 5 }, { x: 2, y: 5 }], 3);
    expect(count(map, 3)).toBe(12);
    expect(map.data[2 * 10 + 2]).toBe(3);
    expect(map.data[5 * 10 + 2]).toBe(0);
  });

  it("a region follows corners but not gaps", () => {
    const map = blank(5, 4);
    for (const [x, y] of [[0, 0], [1, 1], [2, 2], [4, 0]]) map.data[y * 5 + x] = 1;
    const found = region(map, { x: 0.5, y: 0.5 }).sort((a, b) => a[0] - b[0]);
    expect(found).toEqual([[0, 0, 1], [1, 1, 2], [2, 2, 3]]);
    spans(map, found, 0);
    expect(count(map, 1)).toBe(1);
  });

  it("what is cut out and put back elsewhere is the same", () => {
    const map = blank(7, 5);
    line(map, { x: 2, y: 2 }, { x: 3, y: 2 }, 1.5, 4);
    const pixels = cut(map, { x: 1, y: 1, width: 3, height: 2 });
    const other = blank(9, 6);
    const box = paste(other, { x: 5, y: 3, width: 3, height: 2 }, pixels);
    expect(box).toEqual({ left: 5, top: 3, right: 8, bottom: 5 });
    expect(cut(other, { x: 5, y: 3, width: 3, height: 2 })).toEqual(pixels);
    expect(count(other, 4)).toBe(pixels.filter((v) => v === 4).length);
  });
});

describe("history", () => {
  it("goes back and forth to the byte", () => {
    const map = blank(20, 20);
    const history = new History(map.data, 20);
    const states = [map.data.slice()];
    for (let step = 1; step <= 30; step++) {
      const before = map.data.slice();
      const box = line(map, { x: step % 17, y: (step * 7) % 19 }, { x: 10, y: 10 }, 2, step % 4);
      if (history.record(before.subarray(box.top * 20, box.bottom * 20), box)) states.push(map.data.slice());
    }
    for (const state of states.slice(0, -1).reverse()) {
      expect(history.undo()).not.toBeNull();
      expect(map.data).toEqual(state);
    }
    expect(history.canUndo).toBe(false);
    for (const state of states.slice(1)) {
      history.redo();
      expect(map.data).toEqual(state);
    }
  });

  it("does not remember what changed nothing", () => {
    const map = blank(4, 4);
    const history = new History(map.data, 4);
    expect(history.record(map.data.slice(), { left: 0, top: 0, right: 4, bottom: 4 })).toBe(false);
  });
});

describe("scale bar", () => {
  it("takes round lengths in fitting units", () => {
    expect(scaleBar(170, 10)).toEqual({ length_px: 100, text: "1 µm" });
    expect(scaleBar(170, 0.5)).toEqual({ length_px: 100, text: "50 nm" });
    expect(scaleBar(300, null)).toEqual({ length_px: 200, text: "200 px" });
    expect(scaleBar(600, 10_000).text).toBe("5 mm");
  });

  it("says a pixel size, none, or that it is refused", () => {
    expect(scaleText({ nm_per_px: 7.3440000000000003, scale_problem: null })).toBe("7.344 nm/px");
    expect(scaleText({ nm_per_px: null, scale_problem: null })).toBe("no scale");
    expect(scaleText({ nm_per_px: null, scale_problem: "A says 1, but B says 2" })).toBe("pixel size refused");
  });
});
