/** What every threshold finds in an image, as the server counts it, and the table of it. */

import { table } from "../dom";
import { digits } from "../numbers";

export interface Verdict {
  width: number;
  /** Rows that show the specimen. */
  rows: number;
  otsu: number;
  /** Of each threshold from 0 to 255. */
  counts: number[];
  mean_radii_px: (number | null)[];
  iou: (number | null)[] | null;
  truth: { count: number; mean_radius_px: number | null } | null;
  best_for_count: number | null;
  best_for_radius: number | null;
  model: { count: number; mean_radius_px: number | null } | null;
  model_iou: number | null;
}

/** The threshold with the highest IoU; null without a label. */
function bestForIou(iou: Verdict["iou"]): number | null {
  return iou ? iou.reduce<number>((best, value, i) => ((value ?? 0) > (iou[best] ?? 0) ? i : best), 0) : null;
}

interface Found {
  count?: number;
  mean_radius_px?: number | null;
  iou?: number | null;
}

function line(method: string, threshold: string, found: Found): string[] {
  const { count, mean_radius_px, iou } = found;
  return [
    method,
    threshold,
    count === undefined ? "-" : String(count),
    digits(mean_radius_px, 4),
    iou === null || iou === undefined ? "-" : (100 * iou).toFixed(1),
  ];
}

/** What the threshold finds beside other thresholds, the model and the label. */
export function verdictTable(verdict: Verdict, threshold: number): HTMLElement {
  const at = (method: string, level: number | null): string[][] =>
    level === null
      ? []
      : [
          line(method, String(level), {
            count: verdict.counts[level],
            mean_radius_px: verdict.mean_radii_px[level],
            iou: verdict.iou?.[level],
          }),
        ];
  const { truth, model } = verdict;
  return table("Threshold, model and label", ["method", "threshold", "objects", "mean radius px", "IoU %"], [
    ...at("this threshold", threshold),
    ...at("Otsu", verdict.otsu),
    ...at("best threshold for the IoU", bestForIou(verdict.iou)),
    ...at("best for the count", verdict.best_for_count),
    ...(model ? [line("model", "", { ...model, iou: verdict.model_iou })] : []),
    ...(truth ? [line("label", "", { ...truth, iou: 1 })] : []),
  ]);
}
