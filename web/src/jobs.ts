/** Jobs of the server: trainings, segmentations, reports. */

import { get, post, type Job } from "./api";
import { toastError } from "./messages";

type Order = Record<string, unknown>;

/** Gives whether the job was taken; if not, the page shows why. */
export async function startJob(order: Order): Promise<boolean> {
  try {
    await post("/jobs", order);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** What was asked for when the job was started; the server knows it as long as it runs. */
export const orderOf = (job: Job): Order | undefined => job.asked ?? undefined;

/** If it fails, the page shows why. */
export async function stopJob(job: Job): Promise<void> {
  await post(`/jobs/${job.id}/stop`, {}).catch(toastError);
}

/** All jobs; none if the server does not answer. */
export const listJobs = (): Promise<Job[]> => get<Job[]>("/jobs").catch(() => []);

/** The last lines that a job printed. */
export const jobLines = (job: Job): Promise<string[]> => get<string[]>(`/jobs/${job.id}`);

/** Whether a job runs or waits. */
export const isOpen = (job: Job): boolean => job.state === "running" || job.state === "queued";

/** Places in the queue, from 1 on, of the jobs that wait. Trainings wait for trainings only. */
export function queuePlaces(jobs: Job[]): Map<number, number> {
  const places = new Map<number, number>();
  for (const trains of [true, false]) {
    const waiting = jobs.filter((job) => job.state === "queued" && (job.verb === "train") === trains);
    waiting.forEach((job, i) => places.set(job.id, i + 1));
  }
  return places;
}
