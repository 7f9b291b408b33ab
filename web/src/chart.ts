/** Charts by uPlot, in the colours of the page. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { h } from "./dom";

export interface Curve {
  name: string;
  colour: string;
  values: (number | null)[];
  /** Drawn as bars or dots and not as a line. */
  as?: "bars" | "dots";
  digits?: number;
}

/** A chart that can be given new numbers. */
export class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | null = null;
  private shown = "";
  private last: [number[], Curve[]] | null = null;

  constructor(
    title: string,
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
    const style = getComputedStyle(document.documentElement);
    const [ink, rule] = [style.getPropertyValue("--ink-2").trim(), style.getPropertyValue("--rule").trim()];
    const axis: uPlot.Axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "12px system-ui" };
    this.plot = new uPlot(
      {
        ...this.more,
        width: this.element.clientWidth || 480,
        height: this.height(),
        legend: { live: true },
        scales: { x: { time: false }, ...this.more.scales },
        axes: [{ ...axis, label: this.across, labelFont: "12px system-ui", labelSize: 20 }, axis],
        series: [
          { label: this.across },
          ...curves.map((c): uPlot.Series => ({
            label: c.name,
            stroke: c.colour,
            width: c.as === "dots" ? 0 : 1.6,
            fill: c.as === "bars" ? c.colour + "66" : undefined,
            paths: c.as === "bars" ? uPlot.paths.bars!({ size: [0.95, 100] }) : undefined,
            points: { show: c.as === "dots", size: 5 },
            spanGaps: true,
            value: (_, v) => (v === null || v === undefined ? "-" : v.toFixed(c.digits ?? 2)),
          })),
        ],
      },
      data,
      this.element,
    );
    this.element.querySelector("canvas")?.setAttribute("aria-label", this.element.querySelector("figcaption")?.textContent || "chart");
    this.element.querySelector("canvas")?.setAttribute("role", "img");
  }
}
