/** Starts a job on the server: a training, a segmentation, a report ... */

import { post } from "./api";
import { toastError } from "./dom";

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
