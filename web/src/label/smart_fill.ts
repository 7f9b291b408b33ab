/** Smart fill: the server finds the object at a place, and it gets the class. */

import { get, imagePath, type Span } from "../api";
import { toast, toastError, toastWithButton } from "../messages";
import { digits } from "../numbers";
import type { Point } from "../viewer/view";
import type { Editor } from "./editor";

/** An object larger than this share of the image is rarely what was meant. */
const LARGE_PERCENT = 5;

export async function smartFill(editor: Editor, at: Point): Promise<void> {
  const { target, classIndex } = editor;
  const place = `x=${Math.floor(at.x)}&y=${Math.floor(at.y)}`;
  try {
    const found = await get<{ spans: Span[] }>(`${imagePath(editor.view.info.name)}/fill?${place}`);
    // A draft was opened or closed meanwhile: the click was meant for what was there.
    if (editor.target !== target) return;
    if (!found.spans.length) return toast("Nothing stands out here");
    editor.put(found.spans, classIndex);
    warnIfLarge(editor, found.spans);
  } catch (error) {
    toastError(error);
  }
}

/** Percent of an image that rows of pixels take. */
export function percentOf(rows: Span[], width: number, height: number): number {
  return (100 * rows.reduce((sum, [, start, end]) => sum + end - start, 0)) / (width * height);
}

function warnIfLarge(editor: Editor, rows: Span[]): void {
  const { target } = editor;
  const percent = percentOf(rows, target.map.width, target.map.height);
  if (percent <= LARGE_PERCENT) return;
  const { depth } = target.history;
  toastWithButton(`Smart fill took ${digits(percent, 2)} % of the image.`, "Undo the fill", () => {
    // Only while the fill is the last step.
    if (editor.target === target && target.history.depth === depth) editor.undo();
    else toast("Something was drawn since; use Ctrl+Z");
  });
}
