/** Jobs of the server: trainings, segmentations, reports. */

import { get, post, type Job } from "./api";
import { toastError } from "./messages";

/** Gives whether the job was taken; if not, the page shows why. */
export async function startJob(job: Record<string, unknown>): Promise<boolean> {
  try {
    await post("/jobs", job);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** If it fails, the page shows why. */
export async function stopJob(job: Job): Promise<void> {
  await post(`/jobs/${job.id}/stop`, {}).catch(toastError);
}

/** All jobs; none if the server does not answer. */
export const listJobs = (): Promise<Job[]> => get<Job[]>("/jobs").catch(() => []);

/** Whether a job runs or waits. */
export const isOpen = (job: Job): boolean => job.state === "running" || job.state === "queued";
