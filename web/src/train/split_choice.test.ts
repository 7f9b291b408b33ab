import { describe, expect, it } from "vitest";
import type { ImageCard } from "../api";
import { nameProblem, overlap, splitSentence, whyNot } from "./split_choice";

const card = (name: string, split: string | null, labelled = true): ImageCard =>
  ({ name, split, labelled }) as ImageCard;
const cards = [card("a", "train"), card("b", "train"), card("c", "val"), card("d", null), card("e", "train", false)];

describe("what a training learns from", () => {
  it("counts labelled images of the splits, and says what is left out", () => {
    expect(splitSentence("train", "val", cards)).toBe(
      "2 of 4 labelled images will be learned from, 1 validated on. 1 in no chosen split is left out.",
    );
    expect(splitSentence("all", "", cards)).toBe("4 of 4 labelled images will be learned from, none validated on.");
    expect(splitSentence("fold-1", "", cards)).toMatch(/^The labelled images of fold-1 will be learned from/);
  });

  it("refuses what cannot work before it is begun, with the reason", () => {
    expect(whyNot("all", "all", cards)).toMatch(/cannot be validated on/);
    expect(whyNot("all", "val", cards)).toMatch(/cannot be validated on/);
    expect(whyNot("train", "val", cards)).toBeNull();
    expect(whyNot("all", "", [card("e", null, false)])).toMatch(/no labelled image/);
    expect(whyNot("train", "", [card("e", "train", false), card("d", null)])).toBe("No image of train has a label.");
    expect(overlap("train", "")).toBe(false);
  });

  it("names the letters that a name may have", () => {
    expect(nameProblem("Heat 12 (premiere)", [])).toMatch(/letters, digits, spaces, hyphens/);
    expect(nameProblem("première 1.2_b", [])).toBeNull();
    expect(nameProblem("a", ["a"])).toBe("There is a run a already.");
    expect([".x", "", "labels", "a/b"].every((name) => nameProblem(name, []))).toBe(true);
  });
});
