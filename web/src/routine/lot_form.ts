/** The form of an operator: a job, images, lines of the header, and one button. */

import { choice, h, isChecked, replace, sameOptions } from "../dom";
import { startJob } from "../jobs";
import { nameProblem } from "../train/split_choice";
import { LotImages } from "./lot_images";
import type { HeaderLine, MeasuringJob, Routine } from "./types";

export class LotForm {
  readonly element: HTMLElement;
  private job = "";
  private pdf = false;
  /** What was typed, by the line's key. */
  private typed: Record<string, string> = {};
  private jobs = h("div");
  private lines = h("div");
  private names = h("datalist", { id: "lots-in" });
  private name = h("input", { type: "text", maxlength: 80, list: "lots-in", input: () => this.named(), change: () => void this.images.show(this.lot()) });
  private images = new LotImages(() => this.judge(), () => [this.lot(), this.nameWrong()]);
  private reason = h("p", { class: "problem", id: "why-not-measured", role: "status" });
  private submit = h("button", { type: "submit", class: "primary", "aria-describedby": "why-not-measured" }, "Measure this lot");

  /** `started` gets the name of a lot that is being measured. */
  constructor(
    private known: Routine,
    private started: (lot: string) => void,
  ) {
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.begin();
    };
    const print = { type: "checkbox", change: (e: Event) => (this.pdf = isChecked(e)) };
    this.element = h(
      "form",
      { class: "card lot-form", submit },
      h("h2", {}, "Measure a lot"),
      this.jobs,
      h("label", { class: "field" }, h("span", {}, "Name of the lot"), this.name),
      this.names,
      this.images.element,
      this.lines,
      h("label", { class: "check" }, h("input", print), "Also print the report as PDF (A4)"),
      this.reason,
      h("div", { class: "actions" }, this.submit),
    );
    this.renew(known);
    void this.images.show("");
  }

  /** Jobs, lots or images have changed; what was typed stays. */
  renew(known: Routine): void {
    this.known = known;
    const usable = this.usable();
    if (!usable.some((job) => job.file === this.job)) this.job = usable[0]?.file ?? "";
    const options = usable.map((job): [string, string] => [job.file, `${job.name}, version ${job.version}`]);
    const choose = (file: string): void => {
      this.job = file;
      this.drawLines();
      this.judge();
    };
    const none = h("p", { class: "quiet" }, "There is no job that can be used. Make one below from a trained model.");
    replace(this.jobs, options.length ? choice("Job", options, this.job, choose) : none);
    const open = known.lots_in.filter((name) => !known.lots.some((lot) => lot.name === name));
    replace(this.names, ...sameOptions(open).map(([value]) => h("option", { value })));
    this.drawLines();
    void this.images.show(this.lot());
  }

  private usable(): MeasuringJob[] {
    return this.known.jobs.filter((job) => job.problem === null);
  }

  private lot(): string {
    return this.nameWrong() ? "" : this.name.value.trim();
  }

  private nameWrong(): string | null {
    const name = this.name.value.trim();
    if (!name) return "Give the lot a name first.";
    const taken = this.known.lots.find((lot) => lot.name === name);
    if (taken?.finished) return `The lot ${name} is measured already: choose another name.`;
    return nameProblem(name, []);
  }

  private named(): void {
    const line = this.lines.querySelector<HTMLInputElement>("#line-lot");
    // The line of the header has the same name until somebody gives another.
    if (line && !this.typed.lot) line.value = this.name.value.trim();
    this.judge();
  }

  private drawLines(): void {
    const lines = this.usable().find((job) => job.file === this.job)?.lines ?? [];
    const asked = lines.filter((line) => line.asked);
    const rest = lines.filter((line) => !line.asked);
    replace(
      this.lines,
      ...asked.map((line) => this.line(line)),
      rest.length > 0 && h("details", {}, h("summary", {}, "More lines of the report's header"), ...rest.map((line) => this.line(line))),
    );
  }

  private line({ key, name, value, asked, of_images }: HeaderLine): HTMLElement {
    const proposed = key === "lot" ? this.name.value.trim() : "";
    const placeholder = value || (of_images ? "as the images state it" : "");
    const input = h("input", {
      type: "text",
      id: `line-${key}`,
      maxlength: 300,
      value: this.typed[key] ?? proposed,
      placeholder,
      input: (event) => {
        this.typed[key] = (event.target as HTMLInputElement).value;
        this.judge();
      },
    });
    return h("div", { class: "field" }, h("label", { for: `line-${key}` }, asked ? `${name} (needed)` : name), input);
  }

  /** The lines as they are filled in. */
  private header(): Record<string, string> {
    const lines = [...this.lines.querySelectorAll<HTMLInputElement>("input[id^=line-]")];
    const filled = lines.map((line): [string, string] => [line.id.slice("line-".length), line.value.trim()]);
    return Object.fromEntries(filled.filter(([, value]) => value));
  }

  private whyNot(): string | null {
    if (!this.job) return "There is no job that can be used.";
    const wrong = this.nameWrong();
    if (wrong) return wrong;
    if (!this.images.images.length) return "Add the images of the lot.";
    const header = this.header();
    const lines = this.usable().find((job) => job.file === this.job)?.lines ?? [];
    const missing = lines.find((l) => l.asked && !l.value && !header[l.key] && !l.of_images);
    return missing ? `Fill in: ${missing.name}.` : null;
  }

  private judge(): void {
    const why = this.whyNot();
    this.reason.textContent = why ?? "";
    this.submit.disabled = why !== null;
  }

  private async begin(): Promise<void> {
    const lot = this.lot();
    const order = { verb: "runlot", job: this.job, lot, header: this.header(), pdf: this.pdf };
    if (!(await startJob(order))) return;
    this.typed = {};
    this.name.value = "";
    this.renew(this.known);
    this.started(lot);
  }
}
