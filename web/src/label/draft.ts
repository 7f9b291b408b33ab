/** A draft of the label: strokes go to the server, and classes of all pixels come back while the user paints on. */

import { makeDraft, prepareDraft, type Part } from "../api";
import { toastError } from "../messages";
import { IGNORE, MaskLayer, type Palette } from "../viewer/mask";
import type { ImageView } from "../viewer/view";
import type { Target } from "./edited_label";
import { cut, paste, type Map2d } from "./paint";

/** Of an image with more pixels only the part that is seen is drafted. */
const MOST_PX = 16_000_000;
/** The longest side of such a part. */
const MOST_SIDE_PX = 4000;

/** The part of the image that is drafted. */
function partOf(view: ImageView): Part {
  const { width, height } = view.info;
  if (width * height <= MOST_PX) return { x: 0, y: 0, width, height };
  const seen = view.visibleBox();
  return {
    x: seen.left,
    y: seen.top,
    width: Math.min(MOST_SIDE_PX, seen.right - seen.left),
    height: Math.min(MOST_SIDE_PX, seen.bottom - seen.top),
  };
}

export class Draft implements Target {
  /** The strokes of the user, and the layer that shows them. */
  readonly map: Map2d;
  readonly layer: MaskLayer;
  /** The layer that shows the answer of the server. */
  readonly resultLayer: MaskLayer;
  readonly part: Part;
  /** Whether the server has answered at least once. */
  ready = false;
  /** Seconds from the last question to its answer. */
  seconds = 0;
  private result: Map2d;
  private asking = false;
  private askAgain = false;

  constructor(
    private view: ImageView,
    colours: Palette,
    private changed: () => void,
  ) {
    const { width, height } = view.info;
    const empty = (): Map2d => ({ data: new Uint8Array(width * height).fill(IGNORE), width, height });
    this.part = partOf(view);
    this.map = empty();
    this.result = empty();
    const clear = colours.slice();
    clear.fill(0, IGNORE * 4);
    this.layer = new MaskLayer(width, height, this.map.data, clear);
    this.layer.opacity = 0.95;
    this.resultLayer = new MaskLayer(width, height, this.result.data, clear);
    this.resultLayer.opacity = 0.4;
    prepareDraft(view.info.name, this.part).catch(toastError);
  }

  /** A stroke is finished: the server is asked. */
  commit(): void {
    void this.ask();
  }

  /** Asks the server; while it is busy with an earlier question, it is asked once more after that. */
  private async ask(): Promise<void> {
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    const strokes = cut(this.map, this.part);
    // Two classes and "no label": fewer values teach nothing.
    if (new Set(strokes).size < 3) return;
    this.asking = true;
    const began = performance.now();
    try {
      this.show(await makeDraft(this.view.info.name, this.part, strokes), began);
    } catch (error) {
      toastError(error);
    }
    this.asking = false;
    if (this.askAgain) {
      this.askAgain = false;
      void this.ask();
    }
  }

  private show(answer: Uint8Array, began: number): void {
    paste(this.result, this.part, answer);
    this.resultLayer.replace(this.result.data);
    this.seconds = (performance.now() - began) / 1000;
    this.ready = true;
    this.changed();
    this.view.draw();
  }

  /** The classes of the pixels of the part. */
  classes(): Uint8Array {
    return cut(this.result, this.part);
  }
}
