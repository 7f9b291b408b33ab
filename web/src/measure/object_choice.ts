/** Which objects are measured: the smallest, those at the edge, touching ones. */

import { choice, h } from "../dom";
import { Smallest } from "./smallest";

/** As the server takes it, for the view and for tables alike. */
export interface ObjectRule {
  min_area_px: number;
  exclude_edge: boolean;
  split_depth_px: number | null;
}

const SPLITS: [string, string][] = [
  ["", "no"],
  ["1", "readily (1 px)"],
  ["2", "moderately (2 px)"],
  ["3", "rarely (3 px)"],
];

export class ObjectChoice {
  private smallest: Smallest;
  private edge = h("input", { type: "checkbox" });
  private split = "";
  readonly element: HTMLElement;

  constructor(changed: () => void) {
    this.smallest = new Smallest(changed);
    this.edge.addEventListener("change", changed);
    this.element = h(
      "div",
      {},
      this.smallest.element,
      h("label", { class: "check" }, this.edge, "Leave out objects at the edge"),
      choice("Take touching objects apart", SPLITS, this.split, (split) => {
        this.split = split;
        changed();
      }),
    );
  }

  /** For images of these pixel sizes; null where the smallest object cannot be known. */
  rule(nmPerPx: (number | null)[]): ObjectRule | null {
    const min_area_px = this.smallest.area_px(nmPerPx);
    if (min_area_px === null) return null;
    return {
      min_area_px,
      exclude_edge: this.edge.checked,
      split_depth_px: this.split ? Number(this.split) : null,
    };
  }
}
