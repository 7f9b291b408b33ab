/** What lies over the image: the label, a mask, or two of them to compare. */

import { choice, h, replace, fieldValue } from "../dom";
import type { Draft } from "../label/draft";
import { toastError } from "../messages";
import type { MaskLayer } from "../viewer/mask";
import { layerOf, sources } from "../viewer/source";
import type { OpenImage } from "./open_image";
import type { Quality } from "./quality";
import { SideView } from "./side_view";

/** What is shown, as `sources` names it. */
export interface Shown {
  first: string;
  /** "" for nothing. */
  beside: string;
  /** How two layers are shown: `swipe` or `side`. */
  arrangement: string;
}

export class Comparison {
  readonly shown: Shown = { first: "label", beside: "", arrangement: "swipe" };
  /** Only the edges of areas are drawn. */
  outlineOnly = false;
  /** Versions of the label that were opened to compare, with their names. */
  private versions: [string, string][] = [];
  private sideView: SideView;
  /** Layers that are there now. */
  private layers: MaskLayer[] = [];
  /** Each question has a number: an answer to an earlier one than the last is dropped. */
  private question = 0;
  private choices = h("div");
  /** The drop-down lists. */
  readonly lists = h("div", {}, this.choices);
  readonly opacity = h("input", {
    type: "range",
    min: 0,
    max: 100,
    value: 50,
    "aria-label": "Opacity of the mask",
    input: () => this.style(),
  });
  /** Moves the line between the first layer and the second. */
  readonly divider = h("input", {
    type: "range",
    class: "divider",
    min: 0,
    max: 1000,
    value: 500,
    hidden: true,
    "aria-label": "Where the swipe is",
    input: (event) => this.moveDivider(Number(fieldValue(event)) / 1000),
  });

  constructor(
    private image: OpenImage,
    stage: HTMLElement,
    private draft: () => Draft | null,
    private quality: Quality,
  ) {
    this.sideView = new SideView(image.view, stage);
    this.drawLists();
  }

  /** The model whose mask is shown; null where something else is. */
  get maskModel(): string | null {
    return modelOf(this.shown.first, "mask");
  }

  /** The model whose prediction is shown in any form, the mask itself before others. */
  get shownModel(): string | null {
    const { first, beside } = this.shown;
    return this.maskModel ?? modelOf(beside, "mask") ?? modelOf(first) ?? modelOf(beside);
  }

  /** What there is to show. */
  private get list(): [string, string][] {
    const { models, project } = this.image;
    return [...sources(models, project.classes.map((c) => c.name)), ...this.versions];
  }

  /** Lists what there is to show; more when a model has segmented the image meanwhile. */
  drawLists(): void {
    const { list, shown } = this;
    const choose = (what: keyof Shown) => (value: string): void => {
      shown[what] = value;
      void this.show();
    };
    replace(
      this.choices,
      choice("Show", list, shown.first, choose("first")),
      choice("Compare with", [["", "nothing"], ...list], shown.beside, choose("beside")),
      choice("How", [["swipe", "swipe"], ["side", "side by side"]], shown.arrangement, choose("arrangement")),
    );
  }

  /** Shows what was shown of another image, as far as there is such a thing of this one. */
  async goOnWith(shown: Shown): Promise<void> {
    const known = new Set(this.list.map(([source]) => source));
    this.shown.arrangement = shown.arrangement;
    if (known.has(shown.first)) this.shown.first = shown.first;
    if (known.has(shown.beside)) this.shown.beside = shown.beside;
    this.drawLists();
    await this.show();
  }

  /** Shows the label as the first layer again. */
  async showLabel(): Promise<void> {
    this.shown.first = "label";
    this.drawLists();
    await this.show();
  }

  /** Shows a version of the label next to the label. */
  async compareVersion(id: string, name: string): Promise<void> {
    const source = `version:${id}`;
    if (!this.versions.some(([known]) => known === source)) this.versions.push([source, name]);
    Object.assign(this.shown, { first: "label", beside: source });
    this.drawLists();
    await this.show();
  }

  async show(): Promise<void> {
    const question = ++this.question;
    const { first, beside } = this.shown;
    try {
      const layers = await Promise.all([this.layer(first), ...(beside ? [this.layer(beside)] : [])]);
      if (question !== this.question || this.image.left) return;
      this.layers = layers;
      this.arrange(layers[0], layers[1] ?? null);
      void this.quality.show([first, beside]);
    } catch (error) {
      if (question === this.question) toastError(error);
    }
  }

  private async layer(source: string): Promise<MaskLayer> {
    const { name, info, label, labelLayer } = this.image;
    return source === "label" ? labelLayer : layerOf(name, info, source, label.data, this.image.colours());
  }

  private arrange(first: MaskLayer, second: MaskLayer | null): void {
    const { view } = this.image;
    const swipe = second !== null && this.shown.arrangement === "swipe";
    view.layers = second && swipe ? [first, second] : [first];
    view.swipe = swipe ? (view.swipe ?? 0.5) : null;
    if (second && !swipe) this.sideView.show(second);
    else this.sideView.close();
    const draft = this.draft();
    // Under a draft the label could not be distinguished from it.
    if (draft) view.layers = withDraft(view.layers, this.image.labelLayer, draft);
    this.divider.hidden = !swipe;
    this.style();
  }

  /** Gives the layers the opacity and the form that are chosen now. */
  style(): void {
    for (const layer of this.layers) {
      layer.opacity = Number(this.opacity.value) / 100;
      // Of a map of probabilities every pixel is an edge.
      layer.setOutlineOnly(this.outlineOnly && layer.striped);
    }
    this.image.view.draw();
    this.sideView.draw();
  }

  private moveDivider(share: number): void {
    this.image.view.swipe = share;
    this.image.view.draw();
  }

  close(): void {
    this.sideView.close();
  }
}

/** The layers with a draft in the place of the label, or above them, and its strokes above all. */
function withDraft(layers: MaskLayer[], label: MaskLayer, { resultLayer, strokes }: Draft): MaskLayer[] {
  const shown = layers.map((layer) => (layer === label ? resultLayer : layer));
  return [...shown, ...(shown.includes(resultLayer) ? [] : [resultLayer]), strokes.layer];
}

/** The model of a source `kind:model`; null if it is of another kind, or of no model. */
function modelOf(source: string, kind?: string): string | null {
  const colon = source.indexOf(":");
  const its = source.slice(0, Math.max(0, colon));
  return colon < 0 || its === "version" || (kind && its !== kind) ? null : source.slice(colon + 1);
}
