import { describe, expect, it } from "vitest";
import type { ImageCard } from "../api";
import { scaleOfLine } from "../image/scale_line";
import { nmPerPx } from "../pixel_size";
import { filters, listed } from "./list";
import { sortFiles } from "./files";

const card = (name: string, more: Partial<ImageCard> = {}): ImageCard => ({
  ...({ name, version: "10-1", nm_per_px: 5, scale_problem: null, split: null, labelled: false } as ImageCard),
  ...{ predicted: [], unlike: [], findings: [] },
  ...more,
});
const cards = [
  card("field 10", { labelled: true, split: "val", version: "30-1" }),
  card("field 2", { nm_per_px: null }),
  card("edge", { split: "train", predicted: ["m"], version: "ff-2" }),
];
const names = (search: string, filter: string, sort: string): string[] =>
  listed(cards, { search, filter, sort }).map((c) => c.name);

describe("list of the gallery", () => {
  it("searches by every word, in any case", () => {
    expect(names("FIELD", "all", "name")).toEqual(["field 10", "field 2"]);
    expect(names("field 1", "all", "name")).toEqual(["field 10"]);
  });

  it("sorts by label, split and time of change, and within as the server lists them", () => {
    expect(names("", "all", "labelled")).toEqual(["field 2", "edge", "field 10"]);
    expect(names("", "all", "split")).toEqual(["edge", "field 10", "field 2"]);
    expect(names("", "all", "changed")).toEqual(["edge", "field 10", "field 2"]);
  });

  it("filters by label, prediction, pixel size and each split", () => {
    expect(names("", "unscaled", "name")).toEqual(["field 2"]);
    expect(names("", "predicted", "name")).toEqual(["edge"]);
    expect(names("", "split:val", "name")).toEqual(["field 10"]);
    expect(names("", "split:", "name")).toEqual(["field 2"]);
    expect(filters(["val"]).at(-1)).toEqual(["split:val", "split val"]);
  });
});

describe("files that are dropped", () => {
  it("sends a sidecar before its image, and reports what belongs to no image", () => {
    const file = (name: string): File => new File([], name);
    const { send, left } = sortFiles(["a.tif", "a.txt", "b.png", "old.hdr", "notes.docx", "z.txt"].map(file), ["old"]);
    expect(send.map((f) => f.name)).toEqual(["a.txt", "old.hdr", "a.tif", "b.png"]);
    expect(left.map((f) => f.name)).toEqual(["notes.docx", "z.txt"]);
  });

  it("takes a sidecar that is called as the image with its ending", () => {
    const { send } = sortFiles([new File([], "a-tif.hdr"), new File([], "a.tif")], []);
    expect(send.length).toBe(2);
  });
});

describe("a typed pixel size", () => {
  it("is given in nm per pixel", () => {
    expect(nmPerPx("38.76", "nm/px")).toBe(38.76);
    expect(nmPerPx("0,5", "µm/px")).toBe(500);
    expect(nmPerPx("25", "px/µm")).toBe(40);
    for (const bad of ["", "-3", "0", "x", "1e999"]) expect(nmPerPx(bad, "nm/px")).toBeNull();
  });

  it("follows from a line over the scale bar", () => {
    expect(scaleOfLine(200, "5", "µm")).toBe(25);
    expect(scaleOfLine(0, "5", "µm")).toBeNull();
    expect(scaleOfLine(200, "", "nm")).toBeNull();
  });
});
