/** What the server tells of trainings. */

export interface RunSummary {
  name: string;
  arch: string | null;
  state: string;
  iteration: number | null;
  iterations: number | null;
  /** Iteration and mean IoU of the best validation. */
  best: [number, number] | null;
  report: boolean;
  /** Its size on the disk; the list of all runs does not say it. */
  bytes?: number;
}

export interface Validation {
  iteration: number;
  mean_iou: number | null;
  /** Of each class. */
  iou: (number | null)[];
}

export interface RunDetail {
  run: RunSummary;
  /** Iterations, and the loss at each of them. */
  loss: [number[], number[]];
  validations: Validation[];
  /** A sentence for each class that the last validation found nowhere. */
  nothing_found: string[];
  step_s: number | null;
  seconds: number;
  recipe: string;
  /** The validation images that have a mask by this run. */
  masks: string[];
  masks_version: string;
}

export interface Runs {
  runs: RunSummary[];
  recipes: string[];
  weights: string[];
  /** Names of comparisons of runs that have a page. */
  comparisons: string[];
}
