/** A map that is edited (the label, or the strokes of a draft): each change is drawn, can be undone, and is reported. */

import type { By, Part } from "../api";
import type { Box, MaskLayer } from "../viewer/mask";
import { BY_HAND, History, type Made } from "./history";
import { difference, type Drawn } from "./journal";
import { paste, type Map2d } from "./paint";

export class EditedLabel {
  readonly history: History;
  /** The map as it was after the last step; what differs from it is the next step. */
  private before: Uint8Array;

  constructor(
    readonly map: Map2d,
    readonly layer: MaskLayer,
    /** All that changed lies in the box; `drawn` are the pixels. */
    private changed: (box: Box, by: By, drawn: Drawn) => void,
    /** Whether what was loaded is drawn by hand. */
    private loadedByHand = false,
  ) {
    this.history = new History(map.data, map.width);
    this.before = map.data.slice();
  }

  /** Whether a part of what is there is drawn by hand. */
  get drawnByHand(): boolean {
    return this.history.drawnByHand(this.loadedByHand);
  }

  /** The map without a line that is being drawn: that may still be cancelled. */
  get finished(): Uint8Array {
    return this.before;
  }

  /** Makes one step, which can be undone, of the changes in a box. */
  commit(box: Box, made: Made = BY_HAND): void {
    if (!(box.top < box.bottom)) return;
    const [start, end] = this.rows(box);
    if (!this.history.record(this.before.subarray(start, end), box, made)) return;
    this.changed(box, made.by, this.remember(box));
  }

  /** Takes back changes in a box that are no step yet. */
  cancel(box: Box): void {
    if (!(box.top < box.bottom)) return;
    const [start, end] = this.rows(box);
    this.map.data.set(this.before.subarray(start, end), start);
    this.layer.changed(box);
  }

  /** Replaces a part of the map, or all of it, as one step. */
  take(data: Uint8Array, part: Part, made: Made = BY_HAND): void {
    const box = paste(this.map, part, data);
    this.layer.changed(box);
    this.commit(box, made);
  }

  /** Replaces all of the map by one that is saved already. What could be undone before cannot be undone now. */
  reset(data: Uint8Array, drawnByHand: boolean): void {
    this.map.data.set(data);
    this.before.set(data);
    this.loadedByHand = drawnByHand;
    this.history.clear();
    this.layer.replace(this.map.data);
  }

  undo(): void {
    const step = this.history.undo();
    if (step) this.show(step.box, "strokes");
  }

  redo(): void {
    const step = this.history.redo();
    if (step) this.show(step.box, step.made.by);
  }

  /** Shows what the history changed. */
  private show(box: Box, by: By): void {
    const drawn = this.remember(box);
    this.layer.changed(box);
    this.changed(box, by, drawn);
  }

  /** The map is as it is meant now; gives what has changed since that was so before. */
  private remember(box: Box): Drawn {
    const [start, end] = this.rows(box);
    const now = this.map.data.subarray(start, end);
    const drawn = difference(this.before.subarray(start, end), now, start);
    this.before.set(now, start);
    return drawn;
  }

  /** Where the rows of a box begin and end in the data. */
  private rows(box: Box): [number, number] {
    return [box.top * this.map.width, box.bottom * this.map.width];
  }
}
