/** The list of trainings: those of the folder `runs`, and those that wait for their turn. */

import { get, type Job } from "../api";
import { h, replace, type Child } from "../dom";
import { listJobs, queuePlaces } from "../jobs";
import { runLink } from "../links";
import type { Runs, RunSummary } from "./runs";
import { stateWords } from "./state_words";

export class RunList {
  readonly element = h("div", { class: "run-list" });

  /** Asks the server for the runs; that which is open is marked. */
  async refresh(open: string): Promise<Runs> {
    const [known, jobs] = await Promise.all([get<Runs>("/runs"), listJobs()]);
    const { runs } = known;
    const waiting = queued(jobs, runs);
    replace(
      this.element,
      h("h2", {}, "Runs"),
      runs.length + waiting.length === 0 && h("p", { class: "quiet" }, "None yet."),
      h(
        "ul",
        {},
        ...runs.map((run) => h("li", {}, entry(run.name, runText(run), run.name === open))),
        ...waiting.map(([name, text]) => h("li", {}, entry(name, text, name === open))),
      ),
    );
    return known;
  }
}

/** Names of the trainings that wait and have no folder yet, with their places in the queue. */
function queued(jobs: Job[], runs: RunSummary[]): [string, string][] {
  const places = queuePlaces(jobs);
  const names = new Set(runs.map((run) => run.name));
  return jobs
    .filter((job) => job.state === "queued" && job.verb === "train")
    .map((job): [string, string] => [(job.result ?? "").replace(/^runs\//, ""), `waits, number ${places.get(job.id)}`])
    .filter(([name]) => name && !names.has(name));
}

function runText(run: RunSummary): string {
  const share = run.iteration !== null && run.iterations ? Math.round((100 * run.iteration) / run.iterations) : 0;
  const progress = share > 0 && run.state !== "done" ? ` · ${share} %` : "";
  const best = run.best ? ` · mIoU ${(100 * run.best[1]).toFixed(1)} %` : "";
  return `${stateWords(run.state)}${progress}${best}`;
}

function entry(name: string, text: string, here: boolean): Child {
  return h(
    "a",
    { href: runLink(name), class: "run", "aria-current": here ? "true" : undefined },
    h("strong", {}, name),
    h("span", { class: "quiet" }, text),
  );
}
