/** The measuring jobs of the project: what each asks for, or why it cannot be used. */

import { h, replace } from "../dom";
import type { MeasuringJob } from "./types";
import { jobSentences } from "./words";

export class JobList {
  readonly element = h("ul", { class: "job-list", "aria-label": "Measuring jobs" });

  draw(jobs: MeasuringJob[]): void {
    if (jobs.length) replace(this.element, ...jobs.map(entry));
    else replace(this.element, h("li", { class: "quiet" }, "None yet. Make one from a trained model."));
  }
}

function entry(job: MeasuringJob): HTMLElement {
  const version = job.version === undefined ? "" : `, version ${job.version}`;
  const state = job.problem === null ? h("p", { class: "good-text" }, "Locked.") : h("p", { class: "problem" }, job.problem);
  return h(
    "li",
    { class: "card", "data-job-file": job.file },
    h("h3", {}, `${job.name}${version}`),
    h("p", { class: "quiet" }, `jobs/${job.file}.toml${job.model ? ` · model ${job.model}` : ""}`),
    state,
    ...(job.model ? jobSentences(job) : []).map((sentence) => h("p", {}, sentence)),
  );
}
