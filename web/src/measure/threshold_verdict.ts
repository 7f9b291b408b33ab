/** A threshold that the user moves, against the label and against a model: objects, sizes and IoU of each. */

import { nameView } from "../address";
import { get, getMap, imagePath, type ImageInfo } from "../api";
import { Chart } from "../chart";
import { button, choice, h, replace, sameOptions } from "../dom";
import { thresholdLink } from "../links";
import { toastError } from "../messages";
import { percent } from "../numbers";
import type { Page } from "../page";
import { theProject } from "../project";
import { emptyPalette, MaskLayer } from "../viewer/mask";
import { ImageView } from "../viewer/view";
import { classChoice, firstObjectClass } from "./class_choice";
import { verdictTable, type Verdict } from "./verdict";

/** A mask of zeros over an image, whose ones are orange. */
function orangeLayer(info: ImageInfo): MaskLayer {
  const colours = emptyPalette();
  colours.set([230, 159, 0, 255], 4);
  const layer = new MaskLayer(info.width, info.height, new Uint8Array(info.width * info.height), colours);
  layer.opacity = 0.6;
  return layer;
}

/** The image that is shown where none is named: one with a label, if there is any. */
export function firstImage(): string {
  const { images } = theProject();
  return (images.find((card) => card.labelled) ?? images[0])?.name ?? "";
}

export class ThresholdVerdict implements Page {
  readonly element: HTMLElement;
  private project = theProject();
  private classIndex = firstObjectClass();
  private view: ImageView | null = null;
  private layer: MaskLayer | null = null;
  private grey = new Uint8Array();
  private verdict: Verdict | null = null;
  /** Counts the loads: only the last one is shown. */
  private loads = 0;
  private stage = h("div", { class: "duel-stage" });
  private results = h("div", { class: "results", "aria-live": "polite" });
  private slider = h("input", {
    type: "range",
    min: 0,
    max: 255,
    value: 128,
    id: "threshold",
    "aria-label": "Threshold",
    input: () => this.apply(),
  });
  private number = h("output", { for: "threshold" });
  private counts = new Chart("Objects brighter than the threshold", "threshold", { height: 190 });
  private ious = new Chart("IoU with the label, %", "threshold", { height: 190, scales: { y: { range: [0, 100] } } });

  constructor(private name: string) {
    const charts = [this.counts.element, this.ious.element];
    const results = h("div", { class: "results" }, this.stage, this.results, ...charts);
    this.element = h("div", { class: "measure duel" }, this.side(), results);
    void this.load();
  }

  private side(): HTMLElement {
    const names = sameOptions(this.project.images.map((card) => card.name));
    return h(
      "div",
      { class: "side card" },
      choice("Image", names, this.name, (name) => {
        this.name = name;
        nameView(thresholdLink(name));
        void this.load();
      }),
      classChoice(this.classIndex, (index) => {
        this.classIndex = index;
        void this.load();
      }),
      h("label", { class: "field" }, h("span", {}, "Threshold ", this.number), this.slider),
      button("Otsu's", () => this.setThreshold(this.verdict?.otsu ?? 128)),
    );
  }

  private async load(): Promise<void> {
    const mine = ++this.loads;
    const path = imagePath(this.name);
    const model = this.project.images.find((card) => card.name === this.name)?.predicted.at(-1);
    try {
      const info = await get<ImageInfo>(path);
      const extra = model ? `&model=${encodeURIComponent(model)}` : "";
      const [verdict, grey] = await Promise.all([
        get<Verdict>(`${path}/thresholds?class=${this.classIndex}${extra}`),
        getMap(`${path}/grey`),
      ]);
      if (mine !== this.loads) return;
      this.verdict = verdict;
      this.grey = grey.data as Uint8Array<ArrayBuffer>;
      this.showImage(info);
      this.drawCharts(verdict);
      this.setThreshold(verdict.otsu);
    } catch (error) {
      toastError(error);
    }
  }

  private showImage(info: ImageInfo): void {
    this.view?.close();
    this.layer = orangeLayer(info);
    this.view = new ImageView(info);
    this.view.layers = [this.layer];
    replace(this.stage, this.view.element);
  }

  private drawCharts({ counts, iou, truth, model, model_iou }: Verdict): void {
    const thresholds = counts.map((_, i) => i);
    const level = (value: number | undefined | null): (number | null)[] => thresholds.map(() => value ?? null);
    this.counts.draw(thresholds, [
      { name: "threshold", colour: "#e69f00", values: counts, digits: 0 },
      { name: "label", colour: "#009e73", values: level(truth?.count), digits: 0 },
      { name: "model", colour: "#0072b2", values: level(model?.count), digits: 0 },
    ]);
    this.ious.element.hidden = !iou;
    if (!iou) return;
    this.ious.draw(thresholds, [
      { name: "threshold", colour: "#e69f00", values: iou.map(percent) },
      { name: "model", colour: "#0072b2", values: level(percent(model_iou)) },
    ]);
  }

  private setThreshold(threshold: number): void {
    this.slider.value = String(threshold);
    this.apply();
  }

  /** Shows what the threshold of the slider finds. */
  private apply(): void {
    if (!this.verdict || !this.layer) return;
    const threshold = Number(this.slider.value);
    this.number.textContent = String(threshold);
    this.paint(this.layer, threshold, this.verdict.rows * this.verdict.width);
    replace(
      this.results,
      verdictTable(this.verdict, threshold),
      !this.verdict.truth && h("p", { class: "quiet" }, "Without a label nobody can say which is right."),
    );
  }

  /** Marks the pixels that are brighter than the threshold, except those of a data bar, which begins at `end`. */
  private paint(layer: MaskLayer, threshold: number, end: number): void {
    const { data } = layer;
    for (let i = 0; i < data.length; i++) data[i] = i < end && this.grey[i] > threshold ? 1 : 0;
    layer.replace(data);
    this.view?.draw();
  }

  leave(): void {
    this.view?.close();
  }
}
