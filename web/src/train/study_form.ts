/** The form of a study: which tricks, networks and repeats; it becomes a study file, and is run. */

import { post } from "../api";
import { choice, h, replace, sameOptions } from "../dom";
import { checks, field, text } from "../form";
import { startJob } from "../jobs";
import { toast, toastError } from "../messages";
import { theProject } from "../project";
import { OWN_STARTS, recipeText } from "./choices";
import type { Runs } from "./runs";
import { nameProblem } from "./split_choice";
import { networkName } from "./state_words";

const NETWORKS = ["deeplabv3plus", "pspnet"];
const TRICKS: [string, string][] = [
  ["S", "S: strong augmentation"],
  ["R", "R: enlarged receptive field"],
  ["T", "T: encoder that was trained before"],
];

export class StudyForm {
  readonly element: HTMLElement;
  private archs = new Set(NETWORKS);
  private tricks = new Set(["S", "R"]);
  private base = "coffee";
  private train = "train";
  private test = "val";
  private weights = "builtin";
  private seeds = text({ value: "3", inputmode: "numeric" });
  private folds = text({ value: "3", inputmode: "numeric" });
  private hours = text({ inputmode: "decimal" });
  private name = text({ value: "study-1", maxlength: 80 });
  private fields = h("div");

  constructor(known: Runs) {
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.begin();
    };
    this.element = h(
      "details",
      { class: "study-form" },
      h("summary", {}, "New study"),
      h(
        "form",
        { submit },
        field("Name of the study", this.name),
        this.fields,
        field("Repeats of every training", this.seeds),
        field("Folds of the training images", this.folds),
        field("Hours at most", this.hours, "Empty: as long as it takes. With a time, folds, repeats and iterations are chosen to fit."),
        h("div", { class: "actions" }, h("button", { type: "submit" }, "Make and run the study")),
      ),
    );
    this.renew(known);
  }

  renew(known: Runs): void {
    const { splits } = theProject();
    if (!splits.includes(this.train)) this.train = splits[0] ?? "";
    if (!splits.includes(this.test)) this.test = splits.find((split) => split !== this.train) ?? "";
    const starts = [...OWN_STARTS.filter(([word]) => word !== "none"), ...sameOptions(known.weights)];
    if (!starts.some(([name]) => name === this.weights)) this.weights = "builtin";
    replace(
      this.fields,
      checks("Networks", NETWORKS.map((name) => [name, networkName(name)]), this.archs),
      checks("Tricks to try", TRICKS, this.tricks),
      choice("Weights of T", starts, this.weights, (name) => (this.weights = name)),
      choice("Schedule", known.recipes.map((name): [string, string] => [name, recipeText(name)]), this.base, (name) => (this.base = name)),
      choice("Learn from the split", sameOptions(splits), this.train, (split) => (this.train = split)),
      choice("Hold out the split", sameOptions(splits), this.test, (split) => (this.test = split)),
    );
  }

  /** What the form says; a text says what is wrong. */
  private study(): Record<string, unknown> | string {
    const name = this.name.value.trim();
    const wrong = nameProblem(name, []);
    if (wrong) return wrong;
    const [seeds, folds] = [Number(this.seeds.value), Number(this.folds.value)];
    if (![seeds, folds].every((n) => Number.isInteger(n) && n > 0 && n <= 100)) return "Repeats and folds are whole numbers up to 100.";
    if (this.hours.value.trim() && !(Number(this.hours.value) > 0)) return "The time is a number of hours.";
    if (!this.train || !this.test || this.train === this.test) return "A study needs two splits: one to learn from, another that is held out.";
    const archs = NETWORKS.filter((arch) => this.archs.has(arch));
    const tricks = TRICKS.map(([key]) => key).filter((key) => this.tricks.has(key));
    const pretrained = tricks.includes("T") ? this.weights : null;
    return { name, archs, tricks, seeds, folds, base: this.base, train: [this.train], test: this.test, pretrained };
  }

  private async begin(): Promise<void> {
    const study = this.study();
    if (typeof study === "string") return toast(study, true);
    try {
      const { file } = await post<{ file: string }>("/studies", study);
      const hours = this.hours.value.trim() ? Number(this.hours.value) : null;
      if (await startJob({ verb: "study", file, hours })) toast(`The study ${String(study.name)} is started`);
    } catch (error) {
      toastError(error);
    }
  }
}
