/** The project as the server described it last. */

import { get, type Project } from "./api";

let project: Project;

export const theProject = (): Project => project;

/** Asks the server again. */
export async function reload(): Promise<Project> {
  project = await get<Project>("/project");
  return project;
}
