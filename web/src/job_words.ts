/** How a job stands, and how its end is reported. */

import type { Job } from "./api";
import { CHECK_RESULT } from "./links";
import { counted } from "./numbers";

/** A check of the data that finds something has worked, although its program ends with a code. */
export const foundSomething = (job: Job): boolean =>
  job.verb === "data" && (job.state === "partly" || (job.state === "failed" && !job.last.startsWith("error: ")));

/** A lot with a report: a limit is not kept, or something is warned of. */
export const isWarned = (job: Job): boolean => job.verb === "run" && job.state === "partly";

/** What the last check found, in words. */
export async function findingsText(): Promise<string> {
  const { problems, remarks } = (await (await fetch(CHECK_RESULT)).json()) as Record<string, unknown[]>;
  const more = remarks?.length ? ` and ${counted(remarks.length, "remark")}` : "";
  return `found ${counted(problems.length, "problem")}${more}`;
}

/** How a job stands, in a few words; `place` is its place among those that wait. */
export function stateText(job: Job, place = 0): string {
  if (foundSomething(job)) return "done: it found problems";
  if (job.state === "queued") return place ? `waits, number ${place} in the queue` : "waits";
  if (isWarned(job)) return "measured, with warnings";
  return job.state === "partly" ? "done, with problems" : job.state;
}

/** Reports a job that has just ended. */
export async function announceEnd(job: Job, say: (text: string, bad?: boolean) => void): Promise<void> {
  if (foundSomething(job)) say(`${job.title}: ${await findingsText().catch(() => "found problems")}`);
  else if (job.state === "done") say(`${job.title}: done`);
  else if (isWarned(job)) say(`${job.title}: measured, with warnings or limits that are not kept`);
  else if (job.state === "partly") say(`${job.title}: done, with problems. ${job.last}`, true);
  else if (job.state === "failed") say(`${job.title} failed: ${job.last} (the cause stays on the page Jobs)`, true);
}
