/** What the routine says, in words. */

import { counted } from "../numbers";
import type { LotSummary, MeasuringJob, Quantity, Verdict, Verified } from "./types";

const VERDICTS: Record<Verdict, string> = {
  within: "within the limits",
  outside: "outside the limits",
  undecided: "undecided",
};

export const verdictText = (verdict: Verdict | null): string => (verdict ? VERDICTS[verdict] : "no limits were set");

/** Class of the text of a verdict. */
export const verdictMark = (verdict: Verdict | null): string =>
  verdict === "within" ? "mark good" : verdict === "outside" ? "mark bad" : verdict ? "mark warn" : "mark";

/** A lot in the list, in one line. */
export function lotText(lot: LotSummary): string {
  if (!lot.finished) return "not finished";
  const warned = lot.warnings ? ` · ${counted(lot.warnings, "warning")}` : "";
  const short = lot.verdict ?? "no limits";
  return `${lot.date?.slice(0, 10) ?? ""} · ${short}${warned}`;
}

/** What a job asks of images and results, a sentence each. */
export function jobSentences(job: MeasuringJob): string[] {
  const [from, to] = job.pixel_sizes ?? [null, null];
  const range = from !== null || to !== null ? `Pixel sizes from ${from ?? "any"} to ${to ?? "any"} nm are allowed.` : "";
  const stated = job.nm_per_px ? `Images that state no pixel size have ${job.nm_per_px} nm/px.` : "";
  const asked = (job.lines ?? []).filter((line) => line.asked).map((line) => line.name.toLowerCase());
  const classes = (job.classes ?? []).map((c) => {
    const limits = c.limits.length ? c.limits.join("; ") : "no limits";
    return `${c.class}: ${limits}.${c.calibrated ? "" : " The error of the segmentation is not known."}`;
  });
  return [
    `Wants ${counted(job.fields ?? 0, "field")} and an accuracy of ${job.accuracy_percent} %.`,
    range,
    stated,
    asked.length ? `Asks for ${asked.join(", ")}.` : "",
    ...classes,
  ].filter(Boolean);
}

/** What a check of a lot found. */
export function verifiedText({ files, inputs, faults }: Verified): string {
  if (faults.length) return `${counted(faults.length, "file")} not as at the time of the report:`;
  return `All ${files} files of the lot, and the ${inputs} files that it was made from, are as at the time of the report.`;
}

/** Quantities of the first page, where a lot has them. */
const MAIN = ["area_fraction", "number_density", "mean_diameter"];

/** The main results of a class, and the further ones. */
export function sortedResults(results: Record<string, Quantity>): [Quantity[], Quantity[]] {
  const main = MAIN.filter((key) => key in results).map((key) => results[key]);
  const rest = Object.keys(results).filter((key) => !MAIN.includes(key)).map((key) => results[key]);
  return [main, rest];
}

/** A number that was typed; null for none; undefined for what is no number above 0. */
export function typedNumber(text: string): number | null | undefined {
  if (!text.trim()) return null;
  const number = Number(text.trim().replace(",", "."));
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

/** Lines such as `customer = Works 7`; the first that is none, as a text. */
export function fixedLines(text: string): Record<string, string> | string {
  const lines: Record<string, string> = {};
  for (const line of text.split("\n").map((l) => l.trim()).filter(Boolean)) {
    const [, key, value] = /^(\w+)\s*=\s*(.+)$/.exec(line) ?? [];
    if (!key) return line;
    lines[key] = value;
  }
  return lines;
}
