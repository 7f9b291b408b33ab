import { describe, expect, it } from "vitest";
import type { ParticleObject } from "../api";
import { objectsAsCsv } from "./csv";
import { countInBins } from "./histogram";
import { rangeOf } from "./range_fields";
import { leastArea } from "./smallest";
import { sorted } from "./sorting";
import { quantityText } from "./tables";
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

describe("histogram by area", () => {
  it("adds the weights of the values of a bin", () => {
    const { counts } = countInBins([1, 1, 10], [5, 7, 100]);
    expect(counts.length).toBe(8);
    expect([counts[0], counts[7]]).toEqual([12, 100]);
  });
});

describe("smallest object", () => {
  it("is an area in px, or a diameter in µm where all images have one pixel size", () => {
    expect(leastArea("", "um", [null])).toBe(0);
    expect(leastArea("12", "px", [null])).toBe(12);
    expect(leastArea("0,5", "um", [50, 50])).toBe(79);
    expect(leastArea("0.5", "um", [50, 40])).toBeNull();
    expect(leastArea("0.5", "um", [50, null])).toBeNull();
    expect(leastArea("x", "px", [])).toBeNull();
  });
});

describe("selected range", () => {
  it("is what two fields say; an empty one is no limit", () => {
    expect(rangeOf("", "")).toBeNull();
    expect(rangeOf("1,5", "")).toEqual([1.5, Infinity]);
    expect(rangeOf("9", "3")).toEqual([3, 9]);
  });
});

describe("names of quantities", () => {
  it("are words with units, and no code", () => {
    expect(quantityText("number_density_per_um2")).toBe("number density, 1/µm²");
    expect(quantityText("area_fraction_percent")).toBe("area fraction, %");
    expect(quantityText("mean_free_path_nm")).toBe("mean free path, nm");
    expect(quantityText("mean_circularity")).toBe("mean circularity");
  });
});

describe("sorting", () => {
  const columns = [{ head: "n", value: (n: number) => n }, { head: "s", value: (n: number) => `x${n}` }];
  it("orders numbers as numbers and names with their numbers, both ways", () => {
    expect(sorted([10, 9, 100], columns, { column: 0, descending: true })).toEqual([100, 10, 9]);
    expect(sorted([10, 9, 100], columns, { column: 1, descending: false })).toEqual([9, 10, 100]);
    expect(sorted([3, 1], columns, null)).toEqual([3, 1]);
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
