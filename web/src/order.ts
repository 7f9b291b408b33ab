/** Jobs started from a button. */

import { startJob } from "./api";
import { toast } from "./dom";

/** Starts a job; a refusal is told, and gives false. */
export async function order(job: Record<string, unknown>): Promise<boolean> {
  try {
    await startJob(job);
    return true;
  } catch (error) {
    toast((error as Error).message, true);
    return false;
  }
}
