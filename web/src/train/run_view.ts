/** One training: its state, its curves and its masks of the validation images. */

import { get, type Job } from "../api";
import { Chart } from "../chart";
import { h, replace } from "../dom";
import { listJobs } from "../jobs";
import { digits, duration, percent } from "../numbers";
import { theProject } from "../project";
import { runActions } from "./run_actions";
import type { RunDetail, Validation } from "./runs";
import { isWorking, networkName, stateWords } from "./state_words";
import { ValidationMasks } from "./validation_masks";

export class RunView {
  private loss = new Chart("Loss", "iteration");
  private iou = new Chart("IoU on the validation images, %", "iteration", { scales: { y: { range: [0, 100] } } });
  private head = h("div");
  private recipe = h("pre");
  private masksHeading = h("h2", {}, "Validation images");
  private masks = new ValidationMasks();
  /** The run whose charts lie on the page. */
  private shown = "";
  private masksVersion = "";

  constructor(private place: HTMLElement) {}

  async show(name: string): Promise<void> {
    let detail: RunDetail;
    try {
      detail = await get<RunDetail>(`/runs/${encodeURIComponent(name)}`);
    } catch {
      return this.showMissing(name);
    }
    if (this.shown !== name) this.begin(name);
    const job = (await listJobs()).reverse().find((j) => j.result === `runs/${name}` && j.verb === "train");
    replace(this.head, ...headOf(name, detail, job));
    this.loss.draw(detail.loss[0], [{ name: "loss", colour: "#0072b2", values: detail.loss[1], digits: 4 }]);
    this.loss.element.hidden = detail.loss[0].length === 0;
    this.masksHeading.hidden = detail.masks.length === 0;
    this.drawIou(detail.validations);
    this.recipe.textContent = detail.recipe;
    if (this.masksVersion === detail.masks_version) return;
    this.masksVersion = detail.masks_version;
    void this.masks.show(name, detail.masks);
  }

  /** Puts the parts of the page in place for another run. */
  private begin(name: string): void {
    this.shown = name;
    this.masksVersion = "";
    replace(
      this.place,
      this.head,
      this.loss.element,
      this.iou.element,
      this.masksHeading,
      this.masks.element,
      h("details", {}, h("summary", {}, "Recipe"), this.recipe),
    );
  }

  /** There is no such run: it may wait, be about to start, or have failed before it began. */
  private async showMissing(name: string): Promise<void> {
    this.shown = "";
    const job = (await listJobs()).reverse().find((j) => j.result === `runs/${name}`);
    const quiet = (text: string): HTMLElement => h("p", { class: "quiet" }, text);
    if (job?.state === "queued") replace(this.place, quiet(`${name} waits until another training has ended.`));
    else if (job?.state === "running") replace(this.place, quiet(`${name} is starting: it reads the images and measures its speed.`));
    else replace(this.place, h("p", { class: "problem", role: "alert" }, job?.last ?? `There is no run ${name}.`));
  }

  private drawIou(validations: Validation[]): void {
    const { classes } = theProject();
    // The dark grey of a matrix cannot be seen on the dark page.
    const colour = (of: string): string => (of === "#202020" ? "#7f8c99" : of);
    this.iou.draw(
      validations.map((v) => v.iteration),
      [
        { name: "mean", colour: "#009e73", values: validations.map((v) => percent(v.mean_iou)) },
        ...classes.map((c, i) => ({
          name: c.name,
          colour: colour(c.color),
          values: validations.map((v) => percent(v.iou[i] ?? null)),
        })),
      ],
    );
    this.iou.element.hidden = validations.length === 0;
  }

  close(): void {
    this.masks.close();
  }
}

/** Name, warnings, numbers and buttons of a run. */
function headOf(name: string, detail: RunDetail, job?: Job): HTMLElement[] {
  const { run } = detail;
  return [
    h("h2", { class: "as-written" }, `${name} · ${networkName(run.arch)}`),
    ...(job?.state === "failed" ? [h("p", { class: "problem", role: "alert" }, job.last)] : []),
    ...detail.nothing_found.map((line) => h("p", { class: "problem", role: "alert" }, line)),
    h("p", { class: "facts-line", id: "run-facts" }, ...factsOf(detail).map((text) => h("span", {}, text))),
    runActions(run, job),
  ];
}

function factsOf({ run, loss, step_s, seconds }: RunDetail): string[] {
  const last = loss[0].at(-1) ?? 0;
  const left = isWorking(run.state) && step_s !== null ? ((run.iterations ?? 0) - last) * step_s : null;
  return [
    stateWords(run.state),
    `iteration ${last} of ${run.iterations ?? "?"}`,
    step_s === null ? "" : `${digits(step_s)} s a step`,
    left === null ? `${duration(seconds)} of training` : `${duration(left)} left`,
    run.best ? `best mIoU ${(100 * run.best[1]).toFixed(2)} % at ${run.best[0]}` : "",
  ];
}
