/** Charts, drawn by uPlot in the colours of the page. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "./dom";

const FONT = "12px system-ui";
/** Of the frame, left and right, as in style.css. */
const PADDING_PX = 6;

export interface Curve {
  name: string;
  colour: string;
  values: (number | null)[];
  /** Drawn as bars and not as a line. */
  as?: "bars";
  /** Digits after the point of the values under the chart. */
  digits?: number;
}

/** A chart that can be given new numbers. */
export class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | null = null;
  /** The names of the curves and the theme: while they stay the same, only numbers change. */
  private shown = "";
  private last: [number[], Curve[]] | null = null;

  constructor(
    title: string,
    /** What the horizontal axis shows. */
    private across: string,
    private more: Partial<uPlot.Options> = {},
  ) {
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, title));
    new ResizeObserver(() => this.fit()).observe(this.element);
    window.addEventListener("theme", () => this.last && this.element.isConnected && this.draw(...this.last));
  }

  private fit(): void {
    const width = this.width();
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.height() });
  }

  /** The room inside of the frame: as wide as the frame itself, a chart would make its own frame wider. */
  private width(): number {
    return this.element.clientWidth - 2 * PADDING_PX;
  }

  private height(): number {
    return this.more.height ?? 230;
  }

  draw(x: number[], curves: Curve[]): void {
    this.last = [x, curves];
    const data = [x, ...curves.map((c) => c.values)] as uPlot.AlignedData;
    const names = curves.map((c) => c.name).join("|") + document.documentElement.dataset.theme;
    if (this.plot && this.shown === names) {
      this.plot.setData(data);
      return;
    }
    this.shown = names;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(curves), data, this.element);
    const title = this.element.querySelector("figcaption")?.textContent || "chart";
    const canvas = this.element.querySelector("canvas");
    canvas?.setAttribute("aria-label", title);
    canvas?.setAttribute("role", "img");
  }

  private options(curves: Curve[]): uPlot.Options {
    const axis = axisStyle();
    return {
      ...this.more,
      width: Math.max(120, this.width()),
      height: this.height(),
      legend: { live: true },
      scales: { x: { time: false }, ...this.more.scales },
      axes: [{ ...axis, label: this.across, labelFont: FONT, labelSize: 20 }, axis],
      series: [{ label: this.across }, ...curves.map(series)],
    };
  }
}

/** An axis in the colours of the theme. */
function axisStyle(): uPlot.Axis {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const lines = { stroke: colour("--rule"), width: 1 };
  return { stroke: colour("--ink-2"), grid: { ...lines }, ticks: { ...lines }, font: FONT };
}

function series(curve: Curve): uPlot.Series {
  const bars = curve.as === "bars";
  return {
    label: curve.name,
    stroke: curve.colour,
    width: 1.6,
    // Two more digits are the opacity.
    fill: bars ? curve.colour + "66" : undefined,
    paths: bars ? uPlot.paths.bars!({ size: [0.95, 100] }) : undefined,
    // A line needs two points: a single one is drawn as such.
    points: { show: (plot, of) => !bars && isSingle(plot.data[of]), size: 7 },
    spanGaps: true,
    value: (_, v) => (v === null || v === undefined ? "-" : v.toFixed(curve.digits ?? 2)),
  };
}

const isSingle = (values: ArrayLike<number | null | undefined>): boolean =>
  Array.from(values).filter((v) => v !== null && v !== undefined).length === 1;
