/** Undo and redo without limit: each step keeps only the pixels that changed. */

import type { By } from "../api";
import type { Box } from "../viewer/mask";

/** What made a change. */
export interface Made {
  by: By;
  /** Whether what is there after it is drawn by hand; null: as before it. */
  hand: boolean | null;
}

export const BY_HAND: Made = { by: "strokes", hand: true };

/** One step. It is made of runs of pixels that had one old value and got one new value: `runs` holds the start and the
 *  length of each, `values` the old and the new value. */
interface Step {
  runs: Int32Array;
  values: Uint8Array;
  box: Box;
  made: Made;
}

export class History {
  private done: Step[] = [];
  private undone: Step[] = [];

  constructor(
    private data: Uint8Array,
    private width: number,
  ) {}

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** How many steps can be undone. */
  get depth(): number {
    return this.done.length;
  }

  /** Whether what is there is drawn by hand, if it was so (`before`) at the beginning. */
  drawnByHand(before: boolean): boolean {
    return this.done.findLast((step) => step.made.hand !== null)?.made.hand ?? before;
  }

  /** Keeps what has changed in the rows of a box, which were `before`. Gives whether any pixel has changed. */
  record(before: Uint8Array, box: Box, made: Made = BY_HAND): boolean {
    const runs: number[] = [];
    const values: number[] = [];
    const start = box.top * this.width;
    for (let i = 0; i < before.length; ) {
      const [old, now] = [before[i], this.data[start + i]];
      if (old === now) {
        i++;
        continue;
      }
      let end = i + 1;
      while (end < before.length && before[end] === old && this.data[start + end] === now) end++;
      runs.push(start + i, end - i);
      values.push(old, now);
      i = end;
    }
    if (!runs.length) return false;
    this.done.push({ runs: Int32Array.from(runs), values: Uint8Array.from(values), box, made });
    this.undone = [];
    return true;
  }

  /** Forgets all steps. */
  clear(): void {
    this.done = [];
    this.undone = [];
  }

  /** Gives the step that was undone; null if there is nothing to undo. */
  undo(): { box: Box; made: Made } | null {
    return this.move(this.done, this.undone, 0);
  }

  redo(): { box: Box; made: Made } | null {
    return this.move(this.undone, this.done, 1);
  }

  /** Moves a step from one list to the other, and gives its pixels the old (0) or the new (1) values. */
  private move(from: Step[], to: Step[], side: 0 | 1): Step | null {
    const step = from.pop();
    if (!step) return null;
    for (let i = 0; i < step.runs.length; i += 2) {
      this.data.fill(step.values[i + side], step.runs[i], step.runs[i] + step.runs[i + 1]);
    }
    to.push(step);
    return step;
  }
}
