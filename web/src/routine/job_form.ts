/** The form of a supervisor: a measuring job from a trained model. */

import { choice, h, replace, sameOptions } from "../dom";
import { checks, field, text } from "../form";
import { startJob } from "../jobs";
import { toast } from "../messages";
import { theProject } from "../project";
import { nameProblem } from "../train/split_choice";
import type { Routine } from "./types";
import { fixedLines, typedNumber } from "./words";

export class JobForm {
  readonly element: HTMLElement;
  private model = "";
  private classes = new Set<string>();
  private ask = new Set(["lot", "operator"]);
  private name = text({ maxlength: 80 });
  private limits = h("textarea", { rows: 3, placeholder: "area fraction at most 3 %" });
  private fixed = h("textarea", { rows: 2, placeholder: "customer = Works 7" });
  private fields = text({ value: "5", inputmode: "numeric" });
  private accuracy = text({ value: "10", inputmode: "decimal" });
  private smallest = text({ inputmode: "numeric" });
  private from = text({ inputmode: "decimal" });
  private to = text({ inputmode: "decimal" });
  private stated = text({ inputmode: "decimal" });
  private models = h("div");
  private boxes = h("div");

  constructor(private known: Routine) {
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.make();
    };
    const limitsHelp = "One limit a line, such as: mean diameter 250 to 400 nm. Where several classes are measured: carbide: area fraction at most 3 %.";
    this.element = h(
      "form",
      { class: "card job-form", submit },
      h("h2", {}, "New measuring job"),
      h("p", { class: "quiet" }, "The job settles once how lots are measured. It is locked: a change by accident is noticed."),
      this.models,
      field("Name", this.name),
      this.boxes,
      field("Limits", this.limits, limitsHelp),
      h("div", { class: "pair" }, field("Fields wanted", this.fields), field("Relative accuracy wanted, %", this.accuracy)),
      field("Smallest object, pixels", this.smallest, "Smaller objects are left out; empty: none."),
      h("div", { class: "pair" }, field("Pixel size allowed from, nm", this.from), field("to, nm", this.to)),
      field("Pixel size of images that state none, nm", this.stated, "Empty: such images are left out."),
      field("Lines that are the same for every lot", this.fixed, "One line each, such as: customer = Works 7."),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Make the job")),
    );
    this.classes = new Set(theProject().classes.slice(1).map((c) => c.name));
    this.renew(known);
  }

  /** Models, classes or jobs have changed. */
  renew(known: Routine): void {
    this.known = known;
    const names = theProject().models.map((m) => m.name);
    if (!names.includes(this.model)) this.model = names.at(-1) ?? "";
    const none = h("p", { class: "problem" }, "There is no trained model yet: train one first.");
    replace(this.models, names.length ? choice("Model", sameOptions(names), this.model, (name) => (this.model = name)) : none);
    const classes = theProject().classes.map((c): [string, string] => [c.name, c.name]);
    replace(
      this.boxes,
      checks("Classes to measure", classes, this.classes),
      checks("Ask the operator for", known.header, this.ask),
    );
  }

  /** What the form says; a text says what is wrong. */
  private order(): Record<string, unknown> | string {
    const { classes } = theProject();
    const name = this.name.value.trim();
    const wrong = nameProblem(name, []) ?? (this.known.jobs.some((j) => j.file === name) ? `There is a job ${name} already.` : null);
    if (wrong) return wrong;
    const chosen = classes.map((c) => c.name).filter((c) => this.classes.has(c));
    if (!chosen.length) return "Choose a class to measure.";
    const numbers = [this.fields, this.accuracy, this.smallest, this.from, this.to, this.stated].map((f) => typedNumber(f.value));
    if (numbers.includes(undefined)) return "Fields, accuracy and sizes are numbers above 0.";
    const [fields, accuracy_percent, min_area_px, from, to, nm_per_px] = numbers;
    if ((from === null) !== (to === null)) return "Give both pixel sizes that are allowed, or none.";
    const header = fixedLines(this.fixed.value);
    if (typeof header === "string") return `Write the line "${header}" as: customer = Works 7`;
    const limits = this.limits.value.split("\n").map((l) => l.trim()).filter(Boolean);
    const pixel_sizes = from === null ? null : [from, to];
    const rules = { classes: chosen, limits, fields, accuracy_percent, min_area_px, nm_per_px, pixel_sizes, header, ask: [...this.ask] };
    return { verb: "jobnew", run: this.model, name, ...rules };
  }

  private async make(): Promise<void> {
    const order = this.order();
    if (typeof order === "string") return toast(order, true);
    if (await startJob(order)) toast(`The job ${String(order.name)} is being made`);
  }
}
