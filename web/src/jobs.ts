/** Jobs of the server: trainings, segmentations, reports. */

import { get, post, type Job } from "./api";
import { toastError } from "./messages";

type Order = Record<string, unknown>;

/** What was ordered from this window, by the number of the job, so that it can be ordered again. */
const ORDERS = "sorby-orders";

function orders(): Record<string, Order> {
  try {
    return JSON.parse(sessionStorage.getItem(ORDERS) ?? "{}") as Record<string, Order>;
  } catch {
    return {};
  }
}

/** Gives whether the job was taken; if not, the page shows why. */
export async function startJob(order: Order): Promise<boolean> {
  try {
    const { id } = await post<{ id: number }>("/jobs", order);
    sessionStorage.setItem(ORDERS, JSON.stringify({ ...orders(), [id]: order }));
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** The order of a job that this window gave. A server that was started again counts from one again. */
export function orderOf(job: Job): Order | undefined {
  const order = orders()[job.id];
  const verb = String(order?.verb).replace("check", "data").replace("resume", "train").replace("studyreport", "study");
  const named = [order?.name, order?.run, order?.model].every((name) => !name || job.title.includes(String(name)));
  return order && verb === job.verb && named ? order : undefined;
}

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
