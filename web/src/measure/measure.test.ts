import { describe, expect, it } from "vitest";
import type { ParticleObject } from "../api";
import { objectsAsCsv } from "./csv";
import { countInBins } from "./histogram";
import { allObjects, PROPERTIES, valueIn, type Measured } from "./measured";

const object = { id: 7, x: 1, y: 2, area_px: 9, diameter_px: 3, feret_max_px: 4, circularity: 0.5, aspect_ratio: 2 };
const measured = (scaled: boolean, name = "a"): Measured => ({
  scaled,
  images: [
    {
      name,
      summary: { count: 1, area_fraction: 0.5, mean_radius_px: 1.5 },
      nm_per_px: 10,
      objects: [object as ParticleObject],
      estimates: [],
    },
  ],
  problems: [],
  estimates: [],
});

describe("properties of objects", () => {
  const values = (scaled: boolean): number[] => {
    const [found] = allObjects(measured(scaled));
    return PROPERTIES.map((property) => valueIn(property, found));
  };

  it("lengths and areas have the unit of the page, plain numbers have none", () => {
    expect(values(false)).toEqual([3, 9, 4, 0.5, 2]);
    expect(values(true)).toEqual([30, 900, 40, 0.5, 2]);
  });
});

describe("histogram", () => {
  it("counts every value but the few largest", () => {
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    const { middles, counts } = countInBins([...values, 1e9]);
    expect(counts.length).toBe(32);
    expect(middles.length).toBe(32);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(996);
    expect(middles[31]).toBeLessThan(1000);
  });
});

describe("table of objects", () => {
  it("puts a name with a comma or a quotation mark in quotation marks", () => {
    const lines = objectsAsCsv(allObjects(measured(false, 'a,"b"'))).split("\n");
    expect(lines[0].split(",").length).toBe(13);
    expect(lines[1].startsWith('"a,""b""",7,1,2,9,3,4,')).toBe(true);
    expect(lines[1].endsWith(",10")).toBe(true);
    expect(lines[2]).toBe("");
  });
});
