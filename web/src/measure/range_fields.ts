/** The selected range of values as two fields: the same selection as by dragging over the histogram, by keyboard. */

import { button, h } from "../dom";
import { digits } from "../numbers";
import type { Range } from "./histogram";

export class RangeFields {
  private low = this.field("Select from");
  private high = this.field("to");
  private unit = h("span", { class: "quiet" });
  readonly element = h(
    "div",
    { class: "row range-fields", role: "group", "aria-label": "Selected range" },
    h("label", {}, "Select from ", this.low),
    h("label", {}, " to ", this.high),
    this.unit,
    button("Select all", () => this.changed(null)),
  );

  constructor(private changed: (range: Range | null) => void) {}

  private field(label: string): HTMLInputElement {
    return h("input", { type: "text", inputmode: "decimal", size: 8, "aria-label": label, change: () => this.typed() });
  }

  private typed(): void {
    this.changed(rangeOf(this.low.value, this.high.value));
  }

  draw(range: Range | null, unit: string): void {
    this.unit.textContent = unit;
    this.low.value = range && range[0] !== -Infinity ? digits(range[0], 4) : "";
    this.high.value = range && range[1] !== Infinity ? digits(range[1], 4) : "";
  }
}

/** The range that two fields name; an empty field is no limit, two of them select all. */
export function rangeOf(low: string, high: string): Range | null {
  const number = (text: string, without: number): number => {
    const value = Number(text.trim().replace(",", "."));
    return text.trim() === "" || !Number.isFinite(value) ? without : value;
  };
  const range: Range = [number(low, -Infinity), number(high, Infinity)];
  if (range[0] === -Infinity && range[1] === Infinity) return null;
  return range[0] <= range[1] ? range : [range[1], range[0]];
}
