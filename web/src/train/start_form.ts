/** The form that starts a training. */

import type { Project } from "../api";
import { choice, h, sameOptions } from "../dom";
import { startJob } from "../jobs";
import { theProject } from "../project";
import type { Runs } from "./runs";

/** Minutes; with `it` at the end, iterations. */
const TIMES: [string, string][] = [
  ["2", "2 minutes"],
  ["5", "5 minutes"],
  ["15", "15 minutes"],
  ["60", "1 hour"],
  ["480", "8 hours"],
  ["30it", "30 iterations, to try"],
  ["", "as the recipe says"],
];

interface Choices {
  recipe: string;
  /** One of `TIMES`. */
  time: string;
  /** The split to learn from, and the one to validate on; "all" means all labelled images. */
  train: string;
  val: string;
  /** Weights to begin with; "" for random ones. */
  weights: string;
}

function firstChoices(project: Project): Choices {
  const has = (split: string): boolean => project.splits.includes(split);
  const [train, val] = [has("train") ? "train" : "all", has("val") ? "val" : ""];
  return { recipe: "coffee", time: "15", train, val, weights: "" };
}

/** The job as the server wants it. */
function trainJob(name: string, { recipe, time, train, val, weights }: Choices): Record<string, unknown> {
  const job: Record<string, unknown> = { verb: "train", recipe, name, train, val };
  if (time.endsWith("it")) job.iterations = Number(time.slice(0, -2));
  else if (time) job.minutes = Number(time);
  if (weights) job.pretrained = weights;
  return job;
}

/** A name that no run has yet: `model-` and a number. */
function freeName(known: Runs): string {
  const numbers = known.runs.map((run) => Number(/^model-(\d+)$/.exec(run.name)?.[1] ?? 0));
  return `model-${Math.max(0, ...numbers) + 1}`;
}

/** The drop-down lists of the form; what is chosen goes into `chosen`. */
function choiceFields(chosen: Choices, known: Runs, project: Project): (HTMLElement | false)[] {
  const splits: [string, string][] = [...sameOptions(project.splits), ["all", "all labelled images"]];
  const weights: [string, string][] = [["", "random weights"], ...sameOptions(known.weights)];
  const field = (label: string, key: keyof Choices, options: [string, string][]): HTMLElement =>
    choice(label, options, chosen[key], (value) => (chosen[key] = value));
  return [
    field("Recipe", "recipe", sameOptions(known.recipes)),
    field("Time", "time", TIMES),
    field("Learn from", "train", splits),
    field("Validate on", "val", [["", "nothing"], ...splits]),
    known.weights.length > 0 && field("Begin with", "weights", weights),
  ];
}

/** `started` gets the name of a run that has been started. */
export function startForm(known: Runs, started: (name: string) => void): HTMLElement {
  const project = theProject();
  const labelled = project.images.filter((card) => card.labelled).length;
  const chosen = firstChoices(project);
  const name = h("input", { type: "text", value: freeName(known), maxlength: 80 });
  const begin = async (): Promise<void> => {
    if (await startJob(trainJob(name.value, chosen))) started(name.value.trim());
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void begin();
  };
  return h(
    "form",
    { class: "card", submit },
    h("h2", {}, "New training"),
    h("p", { class: "quiet" }, `${labelled} labelled images. Pixels without a label are left out.`),
    h("label", { class: "field" }, h("span", {}, "Name"), name),
    ...choiceFields(chosen, known, project),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Train")),
  );
}
