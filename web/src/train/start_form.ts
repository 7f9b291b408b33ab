/** The form that starts a training. */

import { choice, h, replace, sameOptions, type Child } from "../dom";
import { startJob } from "../jobs";
import { theProject } from "../project";
import { freeName, keepChoices, lastChoices, OWN_STARTS, recipeText, TIMES, trainJob, type Choices } from "./choices";
import type { Runs } from "./runs";
import { ALL, nameProblem, overlap, splitSentence, whyNot } from "./split_choice";

export class StartForm {
  readonly element: HTMLElement;
  private chosen: Choices;
  private name: HTMLInputElement;
  private fields = h("div");
  private sentence = h("p", { class: "quiet", id: "learned-from" });
  private reason = h("p", { class: "problem", id: "why-not", role: "status" });
  private submit = h("button", { type: "submit", class: "primary", "aria-describedby": "why-not learned-from" }, "Train");

  /** `started` gets the name of a run that has been started. */
  constructor(
    private known: Runs,
    private started: (name: string) => void,
  ) {
    this.chosen = lastChoices(theProject(), known);
    this.name = h("input", { type: "text", value: freeName(this.taken()), maxlength: 80, input: () => this.judge() });
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.begin();
    };
    this.element = h(
      "form",
      { class: "card", submit },
      h("h2", {}, "New training"),
      this.sentence,
      h("label", { class: "field" }, h("span", {}, "Name"), this.name),
      this.fields,
      h("p", { class: "quiet" }, "Pixels without a label are left out."),
      this.reason,
      h("div", { class: "actions" }, this.submit),
    );
    this.draw();
  }

  private taken(): string[] {
    return this.known.runs.map((run) => run.name);
  }

  /** The project or its runs have changed. */
  renew(known: Runs): void {
    const taken = this.taken();
    const wasProposed = this.name.value === freeName(taken);
    this.known = known;
    if (wasProposed) this.name.value = freeName(this.taken());
    this.draw();
  }

  private draw(): void {
    const { chosen, known } = this;
    const { splits } = theProject();
    const all: [string, string][] = [...sameOptions(splits), [ALL, "all labelled images"]];
    // What would be learned from and validated on at once is not offered.
    const val: [string, string][] = [["", "nothing"], ...all.filter(([split]) => !overlap(chosen.train, split))];
    const field = (label: string, key: keyof Choices, options: [string, string][]): Child =>
      choice(label, options, chosen[key], (value) => this.choose(key, value));
    replace(
      this.fields,
      field("Recipe", "recipe", known.recipes.map((name) => [name, recipeText(name)])),
      field("Time", "time", TIMES),
      field("Learn from", "train", all),
      field("Validate on", "val", val),
      field("Begin with", "weights", [["", "what the recipe says"], ...OWN_STARTS, ...sameOptions(known.weights)]),
    );
    this.judge();
  }

  private choose(key: keyof Choices, value: string): void {
    this.chosen[key] = value;
    if (overlap(this.chosen.train, this.chosen.val)) this.chosen.val = "";
    if (key === "train") this.draw();
    else this.judge();
  }

  /** Says what the training will do, or why it cannot be started. */
  private judge(): void {
    const { train, val } = this.chosen;
    const { images } = theProject();
    const why = whyNot(train, val, images) ?? nameProblem(this.name.value, this.taken());
    this.sentence.textContent = splitSentence(train, val, images);
    this.reason.textContent = why ?? "";
    this.submit.disabled = why !== null;
  }

  private async begin(): Promise<void> {
    const name = this.name.value.trim();
    keepChoices(theProject(), this.chosen);
    if (await startJob(trainJob(name, this.chosen))) this.started(name);
  }
}
