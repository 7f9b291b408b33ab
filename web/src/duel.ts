/** The duel of a threshold that is dragged, a model and the label. */

import { get, getMap, imagePath, type ImageInfo } from "./api";
import { Chart } from "./chart";
import { button, choice, digits, h, replace, table, toastError } from "./dom";
import type { Page } from "./page";
import { theProject } from "./project";
import { MaskLayer } from "./viewer/mask";
import { ImageView } from "./viewer/view";

export function classChoice(chosen: number, change: (index: number) => void): HTMLElement {
  const names = theProject().classes.map((c, i): [string, string] => [String(i), c.name]);
  return choice("Class", names, String(chosen), (v) => change(Number(v)));
}

interface Duel {
  width: number;
  rows: number;
  otsu: number;
  counts: number[];
  mean_radii_px: (number | null)[];
  iou: (number | null)[] | null;
  truth: { count: number; mean_radius_px: number | null } | null;
  best_for_count: number | null;
  best_for_radius: number | null;
  model: { count: number; mean_radius_px: number | null } | null;
  model_iou: number | null;
}

export function duel(image?: string): Page {
  const project = theProject();
  const labelled = project.images.filter((c) => c.labelled);
  let name = image ?? (labelled[0] ?? project.images[0])?.name ?? "";
  let klass = Math.min(1, project.classes.length - 1);
  let view: ImageView | null = null;
  let layer: MaskLayer | null = null;
  let grey = new Uint8Array();
  let asked = 0;
  const stage = h("div", { class: "duel-stage" });
  const told = h("div", { class: "results", "aria-live": "polite" });
  const slider = h("input", { type: "range", min: 0, max: 255, value: 128, id: "threshold", "aria-label": "Threshold", input: () => move() });
  const number = h("output", { for: "threshold" });
  const counts = new Chart("Objects brighter than the threshold", "threshold", { height: 190 });
  const ious = new Chart("IoU with the label, %", "threshold", { height: 190, scales: { y: { range: [0, 100] } } });
  let data: Duel | null = null;

  async function load(): Promise<void> {
    const mine = ++asked;
    const model = project.images.find((c) => c.name === name)?.predicted.at(-1);
    try {
      const info = await get<ImageInfo>(imagePath(name));
      const extra = model ? `&model=${encodeURIComponent(model)}` : "";
      const [curves, pixels] = await Promise.all([
        get<Duel>(`${imagePath(name)}/thresholds?class=${klass}${extra}`),
        getMap(`${imagePath(name)}/grey`),
      ]);
      if (mine !== asked) return;
      [data, grey] = [curves, pixels.data as Uint8Array<ArrayBuffer>];
      view?.close();
      const table = new Uint8ClampedArray(1024);
      table.set([230, 159, 0, 255], 4);
      layer = new MaskLayer(info.width, info.height, new Uint8Array(grey.length), table);
      layer.opacity = 0.6;
      view = new ImageView(info);
      view.layers = [layer];
      replace(stage, view.element);
      const x = curves.counts.map((_, i) => i);
      const line = (value: number | undefined | null): (number | null)[] => x.map(() => value ?? null);
      counts.draw(x, [
        { name: "threshold", colour: "#e69f00", values: curves.counts, digits: 0 },
        { name: "label", colour: "#009e73", values: line(curves.truth?.count), digits: 0 },
        { name: "model", colour: "#0072b2", values: line(curves.model?.count), digits: 0 },
      ]);
      ious.element.hidden = !curves.iou;
      if (curves.iou) {
        ious.draw(x, [
          { name: "threshold", colour: "#e69f00", values: curves.iou.map((v) => (v === null ? null : 100 * v)) },
          { name: "model", colour: "#0072b2", values: line(curves.model_iou === null ? null : 100 * curves.model_iou) },
        ]);
      }
      slider.value = String(curves.otsu);
      move();
    } catch (error) {
      toastError(error);
    }
  }

  function move(): void {
    if (!data || !layer) return;
    const t = Number(slider.value);
    number.textContent = String(t);
    const end = data.rows * data.width;
    const mask = layer.data;
    for (let i = 0; i < mask.length; i++) mask[i] = i < end && grey[i] > t ? 1 : 0;
    layer.replace(mask);
    view?.draw();
    const ious = data.iou;
    const best = ious ? ious.reduce<number>((b, v, i) => ((v ?? 0) > (ious[b] ?? 0) ? i : b), 0) : null;
    const line = (what: string, threshold: string, count: number | undefined, radius: number | null | undefined, iou: number | null | undefined): string[] => [
      what,
      threshold,
      count === undefined ? "-" : String(count),
      digits(radius, 4),
      iou === null || iou === undefined ? "-" : (100 * iou).toFixed(1),
    ];
    const at = (what: string, level: number): string[] => line(what, String(level), data!.counts[level], data!.mean_radii_px[level], data!.iou?.[level]);
    replace(
      told,
      table("The duel", ["method", "threshold", "objects", "mean radius px", "IoU %"], [
        at("this threshold", t),
        at("Otsu", data.otsu),
        ...(best === null ? [] : [at("best threshold for the IoU", best)]),
        ...(data.best_for_count === null ? [] : [at("best for the count", data.best_for_count)]),
        ...(data.model ? [line("model", "", data.model.count, data.model.mean_radius_px, data.model_iou)] : []),
        ...(data.truth ? [line("label", "", data.truth.count, data.truth.mean_radius_px, 1)] : []),
      ]),
      !data.truth && h("p", { class: "quiet" }, "Without a label nobody can say which is right."),
    );
  }

  const element = h(
    "div",
    { class: "measure duel" },
    h(
      "div",
      { class: "side card" },
      choice("Image", project.images.map((c) => [c.name, c.name]), name, (v) => ((name = v), void load())),
      classChoice(klass, (i) => ((klass = i), void load())),
      h("label", { class: "field" }, h("span", {}, "Threshold ", number), slider),
      button("Otsu's", () => {
        slider.value = String(data?.otsu ?? 128);
        move();
      }),
    ),
    h("div", { class: "results" }, stage, told, counts.element, ious.element),
  );
  if (name) void load();
  return { element, leave: () => view?.close() };
}
