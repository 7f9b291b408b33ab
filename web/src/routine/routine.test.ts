import { describe, expect, it } from "vitest";
import type { LotSummary, MeasuringJob } from "./types";
import { fixedLines, jobSentences, lotText, sortedResults, typedNumber, verifiedText } from "./words";

describe("the routine in words", () => {
  it("says how a lot stands", () => {
    const lot: LotSummary = { name: "a", finished: true, date: "2026-11-27T10:00:00Z", job: null, verdict: "outside", warnings: 1 };
    expect(lotText(lot)).toBe("2026-11-27 · outside · 1 warning");
    expect(lotText({ ...lot, verdict: null, warnings: 0 })).toBe("2026-11-27 · no limits");
    expect(lotText({ ...lot, finished: false })).toBe("not finished");
  });

  it("says what a job asks for", () => {
    const job: MeasuringJob = {
      file: "c",
      name: "c",
      problem: null,
      fields: 1,
      accuracy_percent: 10,
      pixel_sizes: [7, null],
      nm_per_px: null,
      classes: [{ class: "carbide", limits: ["area fraction at most 3 %"], calibrated: false, smallest_px: 0 }],
      lines: [{ key: "lot", name: "Lot or heat", value: "", asked: true }],
    };
    expect(jobSentences(job)).toEqual([
      "Wants 1 field and an accuracy of 10 %.",
      "Pixel sizes from 7 to any nm are allowed.",
      "Asks for lot or heat.",
      "carbide: area fraction at most 3 %. The error of the segmentation is not known.",
    ]);
  });

  it("reads numbers and lines as people type them", () => {
    expect([typedNumber(""), typedNumber(" 7,3 "), typedNumber("0"), typedNumber("x")]).toEqual([null, 7.3, undefined, undefined]);
    expect(fixedLines("customer = Works = 7\n\n order=12 ")).toEqual({ customer: "Works = 7", order: "12" });
    expect(fixedLines("customer: Works")).toBe("customer: Works");
  });

  it("puts the main results first, and says what a check found", () => {
    const q = (name: string) => ({ name, text: "", remark: "" });
    const [main, rest] = sortedResults({ d10: q("d10"), mean_diameter: q("mean diameter"), area_fraction: q("area fraction") });
    expect([main.map((m) => m.name), rest.map((r) => r.name)]).toEqual([["area fraction", "mean diameter"], ["d10"]]);
    expect(verifiedText({ files: 3, inputs: 2, faults: ["x"], seal_sha256: "" })).toMatch(/^1 file not as/);
  });
});
