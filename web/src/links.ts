/** Addresses of the pages and of the files that they link to. */

/** The page of an image; with a region (left, top, width, height), it opens there. */
export function imageLink(name: string, region?: number[]): string {
  const place = region ? `/${region.join(",")}` : "";
  return `#/image/${encodeURIComponent(name)}${place}`;
}

/** The page that compares a threshold with the label of an image. */
export const thresholdLink = (name: string): string => `#/measure/${encodeURIComponent(name)}`;

/** The page of the objects of all images. */
export const MEASURE_PAGE = "#/measure";

export const TRAIN_PAGE = "#/train";

/** The page of a training. */
export const runLink = (name: string): string => `#/train/${encodeURIComponent(name)}`;

/** The page of the jobs: those that run, wait or have ended. */
export const JOBS_PAGE = "#/jobs";

/** The page of the routine: lots, and the jobs that they are measured by. */
export const ROUTINE_PAGE = "#/routine";

/** The page of a lot. */
export const lotLink = (name: string): string => `${ROUTINE_PAGE}/${encodeURIComponent(name)}`;

/** A file in the folder of a lot. */
export const lotFile = (name: string, file: string): string =>
  `/results/lots/${encodeURIComponent(name)}/${encodeURIComponent(file)}`;

/** The page where the list of classes is changed. */
export const CLASSES_PAGE = "#/classes";

/** The page of a comparison of runs. */
export const comparisonPage = (name: string): string => `/results/comparisons/${encodeURIComponent(name)}/comparison.html`;

/** The masks of a model, in one file. */
export const masksFile = (model: string): string => `/api/predictions/${encodeURIComponent(model)}/masks.zip`;

/** Labels that were written for another program, in one file. */
export const exportFile = (name: string): string => `/api/exports/${encodeURIComponent(name)}/zip`;

export const CHECK_REPORT = "/results/.sorby/check.html";

/** The findings of the last check, for programs. */
export const CHECK_RESULT = "/results/.sorby/check.json";

export const runReport = (name: string): string => `/results/runs/${encodeURIComponent(name)}/report.html`;

export const studyReport = (name: string): string => `/results/studies/${encodeURIComponent(name)}/report/report.html`;
