/** The objects of many images: what they are together, their distribution, and those that are selected. */

import { post } from "../api";
import { button, choice, h, replace, sameOptions } from "../dom";
import { startJob } from "../jobs";
import { toast, toastError } from "../messages";
import { digits, mean } from "../numbers";
import type { Page } from "../page";
import { theProject } from "../project";
import { classChoice, firstObjectClass } from "./class_choice";
import { objectsAsCsv, saveCsv } from "./csv";
import { Histogram, rangeText, unitText, type Range } from "./histogram";
import { ImagePicks } from "./image_picks";
import { RangeFields } from "./range_fields";
import { ObjectChoice } from "./object_choice";
import type { Order } from "./sorting";
import { allObjects, PROPERTIES, unitOf, valueIn, type Measured, type MeasuredObject } from "./measured";
import { estimatesTable, fieldsTable, objectsTable } from "./tables";

const WEIGHTS: [string, string][] = [
  ["number", "number of objects"],
  ["area", "area of the objects, %"],
];

export class ObjectsPage implements Page {
  readonly element: HTMLElement;
  private project = theProject();
  /** The masks that are measured: `labels`, or those of a model. */
  private masks = "labels";
  private classIndex = firstObjectClass();
  private property = PROPERTIES[0];
  private measured: Measured | null = null;
  /** Objects with values in this range are selected; without one, all are. */
  private range: Range | null = null;
  /** The order of the objects in the table; null: as they lie in the images. */
  private order: Order | null = null;
  private rangeFields = new RangeFields((range) => this.select(range));
  private choice = new ObjectChoice(() => void this.measure());
  /** What the bars of the histogram are: numbers of objects, or their area. */
  private weight = "number";
  /** Counts the measurements that were asked for. */
  private asked = 0;
  private picks = new ImagePicks(() => void this.measure());
  private results = h("div", { class: "results" });
  private selection = h("p", { class: "quiet selection", "aria-live": "polite" });
  private objects = h("div");
  private histogram = new Histogram((range) => this.select(range));
  private csv = button("Objects as CSV", () => saveCsv("objects.csv", objectsAsCsv(this.selected())), { disabled: true });

  constructor() {
    const models = [...new Set(this.project.images.flatMap((card) => card.predicted))].sort();
    if (models.length && !this.project.images.some((card) => card.labelled)) this.masks = models[0];
    this.element = h("div", { class: "measure" }, this.side(models), this.results);
    this.listImages();
  }

  private side(models: string[]): HTMLElement {
    const names = sameOptions(["labels", ...models]);
    const properties = PROPERTIES.map(({ key, title }): [string, string] => [key, title]);
    return h(
      "div",
      { class: "side card" },
      choice("Masks", names, this.masks, (name) => {
        this.masks = name;
        this.listImages();
      }),
      classChoice(this.classIndex, (index) => {
        this.classIndex = index;
        void this.measure();
      }),
      this.choice.element,
      choice("Histogram of", properties, this.property.key, (key) => this.chooseProperty(key)),
      choice("Weighted by", WEIGHTS, this.weight, (weight) => {
        this.weight = weight;
        this.drawHistogram();
      }),
      h(
        "div",
        { class: "actions" },
        this.csv,
        button("All tables to files", () => void this.writeAll()),
      ),
      h("h2", {}, "Fields"),
      this.picks.element,
    );
  }

  /** Lists the images that have such a mask, and measures all of them. */
  private listImages(): void {
    const { masks } = this;
    const cards = this.project.images.filter((c) => (masks === "labels" ? c.labelled : c.predicted.includes(masks)));
    this.picks.list(cards.map((card) => card.name));
    void this.measure();
  }

  private async measure(): Promise<void> {
    const images = [...this.picks.chosen];
    if (!images.length) {
      // What was measured before is of images that are not chosen now.
      this.measured = null;
      this.asked++;
      this.csv.disabled = true;
      const some = this.picks.element.childElementCount > 0;
      const text = some ? "No field is chosen." : "Nothing to measure: label images or segment them first.";
      return replace(this.results, h("p", { class: "quiet" }, text));
    }
    try {
      const rule = this.choice.rule(this.pixelSizes(images));
      if (rule === null) return;
      const asked = { of: this.masks, class: this.classIndex, images, ...rule };
      const mine = ++this.asked;
      const measured = await post<Measured>("/measure", asked);
      // Another choice was made meanwhile.
      if (mine !== this.asked) return;
      this.measured = measured;
    } catch (error) {
      return toastError(error);
    }
    this.csv.disabled = false;
    this.range = null;
    this.drawResults(this.measured);
  }

  private pixelSizes(images: string[]): (number | null)[] {
    const cards = new Map(this.project.images.map((card) => [card.name, card]));
    return images.map((name) => cards.get(name)?.nm_per_px ?? null);
  }

  private drawResults(measured: Measured): void {
    replace(
      this.results,
      estimatesTable(measured),
      this.histogram.element,
      this.rangeFields.element,
      this.selection,
      fieldsTable(measured),
      this.objects,
      ...measured.problems.map((p) => h("p", { class: "problem" }, `${p.image}: ${p.problem}`)),
    );
    this.drawHistogram();
    this.drawSelection();
  }

  private chooseProperty(key: string): void {
    this.property = PROPERTIES.find((property) => property.key === key)!;
    this.range = null;
    this.drawHistogram();
    this.drawSelection();
  }

  private get unit(): string {
    return this.measured ? unitOf(this.measured) : "px";
  }

  private value = (object: MeasuredObject): number => valueIn(this.property, object);

  private drawHistogram(): void {
    const objects = allObjects(this.measured);
    const areas = this.weight === "area" ? objects.map((o) => o.object.area_px * o.pixel ** 2) : undefined;
    this.histogram.draw(this.property, objects.map(this.value), this.unit, areas);
  }

  private selected(): MeasuredObject[] {
    const all = allObjects(this.measured);
    if (!this.range) return all;
    const [low, high] = this.range;
    return all.filter((object) => this.value(object) >= low && this.value(object) <= high);
  }

  private drawSelection(): void {
    const { range } = this;
    const objects = this.selected();
    const average = digits(mean(objects.map(this.value)), 4);
    this.selection.textContent = range
      ? `${objects.length} objects ${rangeText(range)}; mean ${average}`
      : `${objects.length} objects; mean ${this.property.title} ${average}`;
    this.rangeFields.draw(range, unitText(this.property, this.unit));
    this.drawObjects(objects);
  }

  private drawObjects(objects: MeasuredObject[]): void {
    const sort = (order: Order): void => {
      this.order = order;
      this.drawObjects(objects);
    };
    replace(this.objects, objectsTable(objects, this.unit, this.order, sort));
  }

  private select(range: Range | null): void {
    this.range = range;
    this.drawSelection();
  }

  private async writeAll(): Promise<void> {
    const rule = this.choice.rule(this.pixelSizes([...this.picks.chosen]));
    if (rule === null) return;
    const chosen = { verb: "measure", of: this.masks, class: this.project.classes[this.classIndex].name };
    if (await startJob({ ...chosen, ...rule })) {
      toast("All tables, outlines and intervals go to measurements/ in the project");
    }
  }
}
