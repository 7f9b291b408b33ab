/** "Answer while you paint": strokes go to the server, a draft of the whole comes back. */

import { makeDraft, prepareDraft, type Part } from "../api";
import { toastError } from "../dom";
import { IGNORE, MaskLayer, type Palette } from "../viewer/mask";
import type { ImageView } from "../viewer/view";
import type { Map2d } from "./paint";

/** Larger images are drafted in the part that is seen. */
const MOST_PX = 16_000_000;

export class Sketch {
  readonly strokes: Map2d;
  readonly strokeLayer: MaskLayer;
  readonly draftLayer: MaskLayer;
  readonly part: Part;
  /** Whether there is a draft to be taken. */
  ready = false;
  /** Seconds that the last draft took, there and back. */
  seconds = 0;
  private running = false;
  private again = false;

  constructor(
    private view: ImageView,
    colours: Palette,
    private told: () => void,
  ) {
    const { width, height } = view.info;
    const seen = view.visibleBox();
    const whole = width * height <= MOST_PX;
    const [x, y] = whole ? [0, 0] : [seen.left, seen.top];
    const w = whole ? width : Math.min(4000, seen.right - seen.left);
    const h = whole ? height : Math.min(4000, seen.bottom - seen.top);
    this.part = { x, y, width: w, height: h };
    this.strokes = { data: new Uint8Array(width * height).fill(IGNORE), width, height };
    const clear = colours.slice();
    clear.fill(0, IGNORE * 4);
    this.strokeLayer = new MaskLayer(width, height, this.strokes.data, clear);
    this.strokeLayer.opacity = 0.95;
    this.draftLayer = new MaskLayer(width, height, new Uint8Array(width * height).fill(IGNORE), clear);
    this.draftLayer.opacity = 0.4;
    prepareDraft(view.info.name, this.part).catch(toastError);
  }

  private cut(map: Map2d): Uint8Array {
    const out = new Uint8Array(this.part.width * this.part.height);
    for (let row = 0; row < this.part.height; row++) {
      const start = (this.part.y + row) * map.width + this.part.x;
      out.set(map.data.subarray(start, start + this.part.width), row * this.part.width);
    }
    return out;
  }

  /** Asks for a draft of the strokes so far; while one is on its way, once more after it. */
  async ask(): Promise<void> {
    if (this.running) {
      this.again = true;
      return;
    }
    const strokes = this.cut(this.strokes);
    if (new Set(strokes).size < 3) return;
    this.running = true;
    const began = performance.now();
    try {
      const draft = await makeDraft(this.view.info.name, this.part, strokes);
      const { x, y, width, height } = this.part;
      for (let row = 0; row < height; row++) {
        const place = (y + row) * this.strokes.width + x;
        this.draftLayer.data.set(draft.subarray(row * width, (row + 1) * width), place);
      }
      this.draftLayer.replace(this.draftLayer.data);
      this.seconds = (performance.now() - began) / 1000;
      this.ready = true;
      this.told();
      this.view.draw();
    } catch (error) {
      toastError(error);
    }
    this.running = false;
    if (this.again) {
      this.again = false;
      void this.ask();
    }
  }

  /** The draft of the part. */
  draft(): Uint8Array {
    return this.cut({ ...this.strokes, data: this.draftLayer.data });
  }
}
