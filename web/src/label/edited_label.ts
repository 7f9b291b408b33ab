/** The label that is edited: each change is drawn, can be undone, and is reported to the part that saves. */

import type { Part } from "../api";
import type { Box, MaskLayer } from "../viewer/mask";
import { History } from "./history";
import { paste, type Map2d } from "./paint";

/** A map that tools draw on, and the layer that shows it. */
export interface Target {
  readonly map: Map2d;
  readonly layer: MaskLayer;
  /** A tool has finished one change; all that changed lies in the box. */
  commit(box: Box): void;
}

export class EditedLabel implements Target {
  readonly history: History;
  /** The label as it was after the last step; what differs from it is the next step. */
  private before: Uint8Array;

  constructor(
    readonly map: Map2d,
    readonly layer: MaskLayer,
    private changed: () => void,
  ) {
    this.history = new History(map.data, map.width);
    this.before = map.data.slice();
  }

  /** Makes one step, which can be undone, of the changes in a box. */
  commit(box: Box): void {
    if (!(box.top < box.bottom)) return;
    const [start, end] = this.rows(box);
    if (!this.history.record(this.before.subarray(start, end), box)) return;
    this.remember(box);
    this.changed();
  }

  /** Replaces a part of the label, or all of it, as one step. */
  take(data: Uint8Array, part: Part): void {
    const box = paste(this.map, part, data);
    this.layer.changed(box);
    this.commit(box);
  }

  /** Replaces all of the label by one that is saved already. What could be undone before cannot be undone now. */
  reset(data: Uint8Array): void {
    this.map.data.set(data);
    this.before.set(data);
    this.history.clear();
    this.layer.replace(this.map.data);
  }

  undo(): void {
    this.show(this.history.undo());
  }

  redo(): void {
    this.show(this.history.redo());
  }

  /** Shows what the history changed. */
  private show(box: Box | null): void {
    if (!box) return;
    this.remember(box);
    this.layer.changed(box);
    this.changed();
  }

  private remember(box: Box): void {
    const [start, end] = this.rows(box);
    this.before.set(this.map.data.subarray(start, end), start);
  }

  /** Where the rows of a box begin and end in the data. */
  private rows(box: Box): [number, number] {
    return [box.top * this.map.width, box.bottom * this.map.width];
  }
}
