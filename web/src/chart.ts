/** Charts, drawn by uPlot in the colours of the page. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "./dom";

const FONT = "12px system-ui";

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
    const width = this.element.clientWidth;
    if (this.plot && width) this.plot.setSize({ width, height: this.height() });
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
      width: this.element.clientWidth || 480,
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
    points: { show: false, size: 5 },
    spanGaps: true,
    value: (_, v) => (v === null || v === undefined ? "-" : v.toFixed(curve.digits ?? 2)),
  };
}
