/** The smallest object that is counted: a diameter in µm, or an area in pixels. */

import { choice, h } from "../dom";

export type SmallestUnit = "px" | "um";

/** The area in pixels below which objects are left out: 0 where nothing is typed, null where it is not known, because
 *  the text is no number or the images have no pixel size in common. */
export function leastArea(typed: string, unit: SmallestUnit, nmPerPx: (number | null)[]): number | null {
  if (typed.trim() === "") return 0;
  const value = Number(typed.trim().replace(",", "."));
  if (!Number.isFinite(value) || value < 0) return null;
  if (unit === "px") return Math.ceil(value);
  const [first] = nmPerPx;
  if (!first || nmPerPx.some((size) => size === null || Math.abs(size - first) > 1e-6 * first)) return null;
  const diameter_px = (1000 * value) / first;
  return Math.ceil((Math.PI / 4) * diameter_px ** 2);
}

const UNITS: [SmallestUnit, string][] = [
  ["px", "px, area"],
  ["um", "µm, diameter"],
];

export class Smallest {
  private typed = h("input", { type: "text", inputmode: "decimal", "aria-describedby": "smallest-problem" });
  private unit: SmallestUnit = "px";
  private problem = h("p", { class: "problem", id: "smallest-problem", role: "status" });
  readonly element: HTMLElement;

  constructor(changed: () => void) {
    this.typed.addEventListener("change", changed);
    this.element = h(
      "div",
      {},
      h("label", { class: "field" }, h("span", {}, "Smallest object counted"), this.typed),
      choice("Unit of the smallest object", UNITS, this.unit, (unit) => {
        this.unit = unit as SmallestUnit;
        changed();
      }),
      this.problem,
    );
  }

  /** For images of these pixel sizes. */
  area_px(nmPerPx: (number | null)[]): number | null {
    const area = leastArea(this.typed.value, this.unit, nmPerPx);
    const why = this.unit === "um" ? "Type a number; all chosen images need the same pixel size." : "Type a number of pixels.";
    this.problem.textContent = area === null ? why : "";
    return area;
  }
}
