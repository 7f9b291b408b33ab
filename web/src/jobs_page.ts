/** All jobs of the server since its start: what runs, what waits, what failed and why. */

import type { Job } from "./api";
import { button, h, replace, type Child } from "./dom";
import { foundSomething, isWarned, stateText } from "./job_words";
import { isOpen, jobLines, listJobs, orderOf, queuePlaces, startJob, stopJob } from "./jobs";
import { CHECK_REPORT, comparisonPage, exportFile, lotLink, runLink } from "./links";
import { duration } from "./numbers";
import type { Page } from "./page";
import { listen } from "./server_events";

const SOON_MS = 400;

/** Folders of results that are opened from here. */
const PLACES = ["comparisons/", "exports/"];

/** Where a result of one of these folders is read or downloaded. */
function fileOf(result: string): Record<string, string> {
  const name = result.slice(result.indexOf("/") + 1);
  if (result.startsWith("exports/")) return { href: exportFile(name), download: `${name}.zip` };
  return { href: comparisonPage(name), target: "_blank", rel: "noopener" };
}

class JobsPage implements Page {
  readonly list = h("ul", { class: "job-list", "aria-label": "Jobs" });
  readonly element = h("section", { class: "jobs-page" }, h("h1", {}, "Jobs"), this.list);
  /** The jobs whose log is open. */
  private logs = new Set<number>();
  private timer = setInterval(() => void this.refresh(), 5000);
  /** A refresh that was asked for; 0 if none was. Jobs print many lines a second. */
  private soon = 0;
  private stopListening = listen((event) => {
    if (event.kind === "job") this.soon ||= window.setTimeout(() => void this.refresh(), SOON_MS);
  });

  async refresh(): Promise<void> {
    clearTimeout(this.soon);
    this.soon = 0;
    const jobs = await listJobs();
    const places = queuePlaces(jobs);
    const entries = jobs.reverse().map((job) => this.entry(job, places.get(job.id)));
    if (entries.length) replace(this.list, ...entries);
    else replace(this.list, h("li", { class: "quiet" }, "No job was started since the server was. Start one in Images or Train."));
  }

  private entry(job: Job, place?: number): HTMLElement {
    const failed = job.state === "failed" && !foundSomething(job);
    const time = job.state === "queued" ? "" : ` · ${duration(job.seconds)}`;
    return h(
      "li",
      { class: "card", "data-job": job.id },
      h("h2", {}, job.title),
      h("p", { class: failed ? "problem" : "quiet" }, `${stateText(job, place)}${time}`),
      job.last && (failed || job.state === "running" || job.state === "partly") && h("p", { class: failed ? "problem" : "" }, job.last),
      h("div", { class: "actions" }, ...this.actions(job)),
      this.log(job),
    );
  }

  private actions(job: Job): Child[] {
    const again = isOpen(job) || isWarned(job) || job.state === "done" ? undefined : orderOf(job);
    const lot = job.verb === "run" ? job.result?.replace(/^lots\//, "") : undefined;
    const place = PLACES.find((parent) => job.state === "done" && job.result?.startsWith(parent)) && job.result;
    const run = job.verb === "train" ? job.result?.replace(/^runs\//, "") : undefined;
    return [
      isOpen(job) && button("Stop", () => void stopJob(job), { "aria-label": `Stop: ${job.title}` }),
      again && button("Try again", () => void startJob(again), { "aria-label": `Try again: ${job.title}` }),
      lot && !isOpen(job) && h("a", { class: "button", href: lotLink(lot) }, "Open the lot"),
      place && h("a", { class: "button", ...fileOf(place) }, place.startsWith("exports/") ? "Download" : "Look at it"),
      run && h("a", { class: "button", href: runLink(run) }, "Open the run"),
      foundSomething(job) && h("a", { class: "button", href: CHECK_REPORT, target: "_blank", rel: "noopener" }, "Findings"),
    ];
  }

  private log(job: Job): HTMLElement {
    const lines = h("pre", { tabindex: "0", "aria-label": `Log of ${job.title}` });
    const read = (): void => void jobLines(job).then((text) => replace(lines, [job.command, ...text].join("\n")));
    const toggled = (event: Event): void => {
      if (!(event.target as HTMLDetailsElement).open) return void this.logs.delete(job.id);
      this.logs.add(job.id);
      read();
    };
    const open = this.logs.has(job.id);
    return h("details", { open, toggle: toggled }, h("summary", {}, "Command and log"), lines);
  }

  leave(): void {
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.stopListening();
  }
}

export async function jobsPage(): Promise<Page> {
  const page = new JobsPage();
  await page.refresh();
  return page;
}
