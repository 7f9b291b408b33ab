/** A draft of the label: strokes go to the server, and classes of all pixels come back while the user paints on. */

import { makeDraft, prepareDraft, type Part } from "../api";
import { toastError } from "../messages";
import { IGNORE, MaskLayer, type Box, type Palette } from "../viewer/mask";
import type { ImageView } from "../viewer/view";
import { draftPart, isOutside } from "./draft_part";
import type { EditedLabel } from "./edited_label";
import { cut, paste, type Map2d } from "./paint";

export class Draft {
  /** The layer that shows the answer of the server. */
  readonly resultLayer: MaskLayer;
  /** The part of the image that is drafted. */
  part: Part;
  /** Whether there is an answer to the strokes. */
  ready = false;
  /** Seconds from the last question to its answer. */
  seconds = 0;
  /** Whether the last stroke lies outside of the part, so that the draft does not learn from it. */
  outside = false;
  private result: Map2d;
  private asking = false;
  private askAgain = false;
  private closed = false;

  constructor(
    private view: ImageView,
    /** The strokes of the user. */
    readonly strokes: EditedLabel,
    colours: Palette,
    private changed: () => void,
  ) {
    const { width, height } = view.info;
    this.result = { data: new Uint8Array(width * height).fill(IGNORE), width, height };
    const clear = colours.slice();
    clear.fill(0, IGNORE * 4);
    this.resultLayer = new MaskLayer(width, height, this.result.data, clear);
    this.resultLayer.opacity = 0.4;
    this.part = draftPart(view.visibleBox(), width, height);
    this.prepare();
  }

  private prepare(): void {
    prepareDraft(this.view.info.name, this.part).catch(toastError);
    void this.ask();
  }

  /** Drafts the part that is seen now. */
  moveHere(): void {
    const { width, height } = this.view.info;
    this.part = draftPart(this.view.visibleBox(), width, height);
    this.outside = false;
    this.forget();
    this.prepare();
    this.changed();
    this.view.draw();
  }

  /** Strokes have changed in a box. */
  drawn(box: Box): void {
    this.outside = isOutside(this.part, box);
    void this.ask();
  }

  /** Whether the image is too large to be drafted at once. */
  get isPart(): boolean {
    return this.part.width * this.part.height < this.result.data.length;
  }

  /** How many classes have strokes in the part. */
  private taught(strokes: Uint8Array): number {
    const values = new Set(strokes);
    values.delete(IGNORE);
    return values.size;
  }

  /** Asks the server; while it is busy with an earlier question, it is asked once more after that. */
  private async ask(): Promise<void> {
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    const { part } = this;
    const strokes = cut(this.strokes.map, part);
    if (this.taught(strokes) < 2) return this.forget();
    this.asking = true;
    const began = performance.now();
    try {
      const answer = await makeDraft(this.view.info.name, part, strokes);
      if (part === this.part && !this.closed) this.show(answer, began);
    } catch (error) {
      if (!this.closed) toastError(error);
    }
    this.asking = false;
    if (this.askAgain && !this.closed) {
      this.askAgain = false;
      void this.ask();
    }
  }

  /** There is no answer to the strokes as they are now. */
  private forget(): void {
    if (!this.ready) return;
    this.ready = false;
    this.result.data.fill(IGNORE);
    this.resultLayer.replace(this.result.data);
    this.changed();
    this.view.draw();
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

  /** Answers that come later are dropped. */
  close(): void {
    this.closed = true;
  }
}
