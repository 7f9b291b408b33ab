/** What lies over the image: the label, a mask, or two of them to compare. */

import { choice, h, replace, fieldValue } from "../dom";
import type { Draft } from "../label/draft";
import { toastError } from "../messages";
import type { MaskLayer } from "../viewer/mask";
import { layerOf, sources } from "../viewer/source";
import type { OpenImage } from "./open_image";
import type { Quality } from "./quality";
import { SideView } from "./side_view";

export class Comparison {
  /** The first layer and the second ("" for none), as `sources` names them. */
  private shown = "label";
  private beside = "";
  /** How two layers are shown: `swipe` or `side`. */
  private arrangement = "swipe";
  private sideView: SideView;
  /** The drop-down lists. */
  readonly lists = h("div");
  readonly opacity = h("input", {
    type: "range",
    min: 0,
    max: 100,
    value: 50,
    "aria-label": "Opacity of the mask",
    input: () => void this.show(),
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
    return this.shown.startsWith("mask:") ? this.shown.slice("mask:".length) : null;
  }

  /** Lists what there is to show; more when a model has segmented the image meanwhile. */
  drawLists(): void {
    const list = sources(
      this.image.models,
      this.image.project.classes.map((c) => c.name),
    );
    const arrangements: [string, string][] = [["swipe", "swipe"], ["side", "side by side"]];
    const choose = (set: (value: string) => void) => (value: string): void => {
      set(value);
      void this.show();
    };
    replace(
      this.lists,
      choice("Show", list, this.shown, choose((v) => (this.shown = v))),
      choice("Beside", [["", "nothing"], ...list], this.beside, choose((v) => (this.beside = v))),
      choice("How", arrangements, this.arrangement, choose((v) => (this.arrangement = v))),
    );
  }

  /** Shows the label as the first layer again. */
  async showLabel(): Promise<void> {
    this.shown = "label";
    this.drawLists();
    await this.show();
  }

  async show(): Promise<void> {
    try {
      const first = await this.layer(this.shown);
      const second = this.beside ? await this.layer(this.beside) : null;
      this.arrange(first, second);
      void this.quality.show([this.shown, this.beside]);
    } catch (error) {
      toastError(error);
    }
  }

  private async layer(source: string): Promise<MaskLayer> {
    const { name, info, label, labelLayer } = this.image;
    return source === "label" ? labelLayer : layerOf(name, info, source, label.data, this.image.colours());
  }

  private arrange(first: MaskLayer, second: MaskLayer | null): void {
    const { view } = this.image;
    first.opacity = Number(this.opacity.value) / 100;
    if (second) second.opacity = first.opacity;
    const swipe = second !== null && this.arrangement === "swipe";
    view.layers = second && swipe ? [first, second] : [first];
    view.swipe = swipe ? (view.swipe ?? 0.5) : null;
    if (second && !swipe) this.sideView.show(second);
    else this.sideView.close();
    const draft = this.draft();
    if (draft) view.layers.push(draft.resultLayer, draft.layer);
    this.divider.hidden = !swipe;
    view.draw();
  }

  private moveDivider(share: number): void {
    this.image.view.swipe = share;
    this.image.view.draw();
  }

  close(): void {
    this.sideView.close();
  }
}
