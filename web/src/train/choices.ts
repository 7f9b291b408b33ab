/** What is chosen in the form of a training; the form remembers it for the next one. */

import type { Project } from "../api";
import { ALL, overlap } from "./split_choice";
import type { Runs } from "./runs";

/** Minutes; with `it` at the end, iterations. */
export const TIMES: [string, string][] = [
  ["2", "2 minutes"],
  ["5", "5 minutes"],
  ["15", "15 minutes"],
  ["60", "1 hour"],
  ["480", "8 hours"],
  ["30it", "30 iterations, to try"],
  ["", "as the recipe says"],
];

/** What the built-in recipes are for. */
const RECIPES: Record<string, string> = {
  coffee: "coffee: about 15 minutes",
  lunch: "lunch: about 45 minutes",
  overnight: "overnight: a night",
  paper: "paper: as published",
};

export const recipeText = (name: string): string => RECIPES[name] ?? name;

/** Weights to begin with that are no files: the recipe's words for them, and ours. */
export const OWN_STARTS: [string, string][] = [
  ["builtin", "the program's own weights"],
  ["none", "random weights"],
];

export interface Choices {
  recipe: string;
  /** One of `TIMES`. */
  time: string;
  /** The split to learn from, and the one to validate on; "all" means all labelled images. */
  train: string;
  val: string;
  /** Weights to begin with; "" as the recipe says. */
  weights: string;
}

function firstChoices(project: Project): Choices {
  const has = (split: string): boolean => project.splits.includes(split);
  const [train, val] = [has("train") ? "train" : ALL, has("train") && has("val") ? "val" : ""];
  return { recipe: "coffee", time: "15", train, val, weights: "" };
}

const keyOf = (project: Project): string => `sorby-training:${project.root}`;

/** As chosen for the last training of this project, as far as that is still there to choose. */
export function lastChoices(project: Project, known: Runs): Choices {
  const first = firstChoices(project);
  let last: Partial<Choices> = {};
  try {
    last = JSON.parse(localStorage.getItem(keyOf(project)) ?? "{}") as Partial<Choices>;
  } catch {
    // What another version wrote is not needed.
  }
  const there: Record<keyof Choices, string[]> = {
    recipe: known.recipes,
    time: TIMES.map(([time]) => time),
    train: [ALL, ...project.splits],
    val: ["", ALL, ...project.splits],
    weights: ["", ...OWN_STARTS.map(([word]) => word), ...known.weights],
  };
  for (const key of Object.keys(first) as (keyof Choices)[]) {
    const value = last[key];
    if (value !== undefined && there[key].includes(value)) first[key] = value;
  }
  if (overlap(first.train, first.val)) first.val = "";
  return first;
}

export function keepChoices(project: Project, chosen: Choices): void {
  localStorage.setItem(keyOf(project), JSON.stringify(chosen));
}

/** The job as the server wants it. */
export function trainJob(name: string, { recipe, time, train, val, weights }: Choices): Record<string, unknown> {
  const job: Record<string, unknown> = { verb: "train", recipe, name, train, val };
  if (time.endsWith("it")) job.iterations = Number(time.slice(0, -2));
  else if (time) job.minutes = Number(time);
  if (weights) job.pretrained = weights;
  return job;
}

/** A name that no run has yet: `model-` and a number. */
export function freeName(taken: string[]): string {
  const numbers = taken.map((name) => Number(/^model-(\d+)$/.exec(name)?.[1] ?? 0));
  return `model-${Math.max(0, ...numbers) + 1}`;
}
