/** The buttons of a run: stop it, continue it, use it, report on it, remove it. */

import { get, remove, type Job } from "../api";
import { ask } from "../dialog";
import { button, h, newTabLink } from "../dom";
import { isOpen, orderOf, startJob, stopJob } from "../jobs";
import { runReport, TRAIN_PAGE } from "../links";
import { toast, toastError } from "../messages";
import { bytesText } from "../numbers";
import { theProject } from "../project";
import type { RunSummary } from "./runs";
import { canContinue, isWorking } from "./state_words";

/** `job` is the training of this run, if the server remembers it. */
export function runActions(run: RunSummary, job?: Job): HTMLElement {
  const { name, state } = run;
  const done = state === "done";
  const split = theProject().splits.includes("val") ? "val" : "all";
  const start = (order: Record<string, unknown>) => (): void => void startJob(order);
  const primary = { class: "primary" };
  const again = state === "never begun" && job ? orderOf(job) : undefined;
  return h(
    "div",
    { class: "actions" },
    isWorking(state) && button("Stop", () => void stop(name), { title: "Every finished step is kept" }),
    canContinue(state) && button("Continue", start({ verb: "resume", run: name }), primary),
    again && button("Try again", () => void tryAgain(name, again), primary),
    done && button("Segment all images", start({ verb: "segment", model: name }), primary),
    done && button("Make the report", start({ verb: "report", run: name, split })),
    ...(run.report ? reportLinks(name) : []),
    !isWorking(state) && button(deleteText(run), () => void deleteRun(run), { class: "danger" }),
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
  const jobs = await get<Job[]>("/jobs").catch(toastError);
  if (!jobs) return;
  const job = jobs.find((j) => isOpen(j) && j.result === `runs/${run}`);
  if (!job) return toast("This training was not started from this page; stop it where it runs", true);
  await stopJob(job);
}

const deleteText = ({ bytes }: RunSummary): string => (bytes ? `Delete (frees ${bytesText(bytes)})` : "Delete");

async function deleteRun({ name }: RunSummary): Promise<void> {
  const kept = "Masks that it made stay. This cannot be undone.";
  if (!(await ask(`Delete the run ${name}, its model and its report?`, kept, "Delete", "Keep"))) return;
  try {
    const { freed_bytes } = await remove<{ freed_bytes: number }>(`/runs/${encodeURIComponent(name)}`);
    toast(`${name} is deleted: ${bytesText(freed_bytes)} are free again`);
    location.hash = TRAIN_PAGE;
  } catch (error) {
    toastError(error);
  }
}

/** A run that did not start keeps its name until its folder is removed. */
async function tryAgain(name: string, order: Record<string, unknown>): Promise<void> {
  try {
    await remove(`/runs/${encodeURIComponent(name)}`);
    await startJob(order);
  } catch (error) {
    toastError(error);
  }
}
