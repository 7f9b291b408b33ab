/** Facts beside an image: the measurements of an object, and what the colours of errors mean. */

import type { ParticleObject } from "../api";
import { h } from "../dom";
import { digits } from "../numbers";
import { ERRORS } from "./source";

/** How good the masks of a model can be expected to be on an image. */
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

/** `nm`: the size of a pixel, if it is known. */
export function objectTable(o: ParticleObject, className: string, nm: number | null): HTMLElement {
  const unit = nm === null ? "px" : "nm";
  const length = (px: number): string => `${digits(px * (nm ?? 1), 4)} ${unit}`;
  const area = nm === null ? `${o.area_px} px²` : `${digits((o.area_px * nm * nm) / 1e6, 4)} µm² (${o.area_px} px)`;
  const rows: [string, string][] = [
    ["Class", className],
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
