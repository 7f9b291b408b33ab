/** What the server tells of the routine. */

/** A line of a report's header. */
export interface HeaderLine {
  key: string;
  name: string;
  /** What the job says for every lot; may be empty. */
  value: string;
  /** Nothing is measured without it. */
  asked: boolean;
  /** The files of images may state it. */
  of_images: boolean;
}

/** A job file: how lots are measured. */
export interface MeasuringJob {
  /** Name of the file, without its ending. */
  file: string;
  name: string;
  /** Why it cannot be used; null where it is locked and all is as it was. */
  problem: string | null;
  version?: number;
  model?: string;
  fields?: number;
  accuracy_percent?: number;
  pixel_sizes?: [number | null, number | null];
  nm_per_px?: number | null;
  classes?: { class: string; limits: string[]; calibrated: boolean; smallest_px: number }[];
  lines?: HeaderLine[];
}

export type Verdict = "within" | "outside" | "undecided";

export interface LotSummary {
  name: string;
  finished: boolean;
  date: string | null;
  job: { name: string; version: number } | null;
  verdict: Verdict | null;
  warnings: number;
}

export interface Routine {
  jobs: MeasuringJob[];
  lots: LotSummary[];
  /** Folders with images of lots. */
  lots_in: string[];
  /** Keys and names of the lines of every header. */
  header: [string, string][];
}

/** A quantity as the report says it. */
export interface Quantity {
  name: string;
  text: string;
  remark: string;
}

export interface LotRecord {
  report: { number: string };
  date: string;
  verdict: Verdict | null;
  warnings: string[];
  job: { name: string; version: number };
  header: { name: string; value: string }[];
  classes: {
    class: string;
    particles_counted: number;
    limits: { limit: string; verdict: Verdict }[];
    results: Record<string, Quantity>;
  }[];
  images: unknown[];
  left_out: { file: string; reason: string }[];
}

export interface LotDetail {
  name: string;
  finished: boolean;
  report: boolean;
  pdfs: string[];
  record: LotRecord | null;
}

export interface Verified {
  files: number;
  inputs: number;
  faults: string[];
  seal_sha256: string;
}
