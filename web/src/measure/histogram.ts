/** The histogram of a property; dragging over it selects a range of values. */

import type uPlot from "uplot";
import { Chart } from "../chart";
import { digits } from "../numbers";
import type { Property } from "./measured";

/** Lowest and highest value. */
export type Range = [number, number];

/** The unit of a property, where lengths are in `unit`. */
export const unitText = (property: Property, unit: string): string => ["", unit, `${unit}²`][property.dimension];

export function rangeText([low, high]: Range): string {
  if (low === -Infinity) return `up to ${digits(high)}`;
  return high === Infinity ? `of ${digits(low)} or more` : `between ${digits(low)} and ${digits(high)}`;
}

/** Counts of values, or sums of their weights, in bins of one width from 0 on; the largest values are left out, so that a single one does not
 *  squeeze the others together. */
export function countInBins(values: number[], weights?: number[]): { middles: number[]; counts: number[] } {
  const sorted = [...values].sort((a, b) => a - b);
  const top = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))] || 1;
  const bins = Math.max(8, Math.min(40, Math.round(Math.sqrt(values.length))));
  const counts = new Array<number>(bins).fill(0);
  values.forEach((value, i) => {
    if (value <= top) counts[Math.min(bins - 1, Math.floor((value / top) * bins))] += weights?.[i] ?? 1;
  });
  const middles = counts.map((_, i) => ((i + 0.5) * top) / bins);
  return { middles, counts };
}

export class Histogram {
  private chart: Chart;

  constructor(selected: (range: Range) => void) {
    const dragged = (plot: uPlot): void => {
      const { left, width } = plot.select;
      // A click is no selection.
      if (width < 3) return;
      selected([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    };
    this.chart = new Chart("", "", {
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: { setSelect: [dragged] },
    });
  }

  get element(): HTMLElement {
    return this.chart.element;
  }

  /** With `areas`, the bars are shares of the area of all objects and not numbers of objects. */
  draw(property: Property, values: number[], unit: string, areas?: number[]): void {
    const title = `${property.title}, ${unitText(property, unit)}`.replace(/, $/, "") + ": drag to select";
    this.element.querySelector("figcaption")!.textContent = title;
    if (!values.length) return;
    const all = areas?.reduce((sum, area) => sum + area, 0) ?? 1;
    const { middles, counts } = countInBins(values, areas?.map((area) => (100 * area) / all));
    const [name, digits] = areas ? ["area, %", 2] : ["objects", 0];
    this.chart.draw(middles, [{ name, colour: "#0072b2", values: counts, as: "bars", digits }]);
  }
}
