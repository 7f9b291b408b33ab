/** The buttons of a run: stop it, go on, use it, report on it. */

import { get, type Job } from "../api";
import { button, h, newTabLink } from "../dom";
import { isOpen, startJob, stopJob } from "../jobs";
import { runReport } from "../links";
import { toast } from "../messages";
import { theProject } from "../project";
import type { RunSummary } from "./runs";

export function runActions(run: RunSummary, working: boolean): HTMLElement {
  const { name } = run;
  const done = run.state === "done";
  const split = theProject().splits.includes("val") ? "val" : "all";
  const start = (job: Record<string, unknown>) => (): void => void startJob(job);
  const primary = { class: "primary" };
  return h(
    "div",
    { class: "actions" },
    working && button("Stop", () => void stop(name), { title: "Not a step is lost" }),
    !working && !done && button("Go on", start({ verb: "resume", run: name }), primary),
    done && button("Segment all images", start({ verb: "segment", model: name }), primary),
    done && button("Make the report", start({ verb: "report", run: name, split })),
    ...(run.report ? reportLinks(name) : []),
  );
}

function reportLinks(run: string): HTMLElement[] {
  const href = runReport(run);
  const download = `${run}-report.html`;
  return [
    h("a", { class: "button", id: "report-link", href, download }, "Download the report"),
    newTabLink("Look at it", href),
  ];
}

async function stop(run: string): Promise<void> {
  const jobs = await get<Job[]>("/jobs");
  const job = jobs.find((j) => isOpen(j) && j.result === `runs/${run}`);
  if (!job) return toast("This training was not started from this page; stop it where it runs", true);
  await stopJob(job);
}
