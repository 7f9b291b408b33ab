/** What is told beside an image: an object's measurements, the IoU to expect, what colours mean. */

import type { ParticleObject } from "../api";
import { digits, h } from "../dom";
import { ERRORS } from "./source";

export interface Trust {
  classes: { class: string; iou_percent: (number | null)[] }[];
  unlike: boolean;
}

/** What the colours of errors mean. */
export function legend(): HTMLElement[] {
  const names: [string, string][] = [
    [ERRORS.hit, "found rightly"],
    [ERRORS.extra, "found wrongly, or as another class"],
    [ERRORS.missed, "missed"],
  ];
  return names.map(([colour, text]) => h("div", { class: "legend", style: `--colour: ${colour}` }, text));
}

export function objectTable(o: ParticleObject, klass: string, nm: number | null): HTMLElement {
  const unit = nm === null ? "px" : "nm";
  const length = (px: number): string => `${digits(px * (nm ?? 1), 4)} ${unit}`;
  const area = nm === null ? `${o.area_px} px²` : `${digits((o.area_px * nm * nm) / 1e6, 4)} µm² (${o.area_px} px)`;
  const rows: [string, string][] = [
    ["Class", klass],
    ["Area", area],
    ["Equivalent diameter", length(o.diameter_px)],
    ["Feret diameter", `${length(o.feret_min_px)} to ${length(o.feret_max_px)}`],
    ["Circularity", digits(o.circularity)],
    ["Aspect ratio", digits(o.aspect_ratio)],
    ["Solidity", digits(o.solidity)],
    ["Cut by the edge", o.at_edge ? "yes" : "no"],
  ];
  return h("dl", { class: "facts" }, ...rows.flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]));
}
